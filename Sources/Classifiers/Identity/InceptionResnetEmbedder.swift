import DeepfakeCore

/// An embedder that uses facenet-pytorch's Inception-ResNet-v1, trained on VGGFace2 or
/// CASIA-WebFace to recognise people (https://github.com/timesler/facenet-pytorch). The weights are
/// not part of dfkit.
package struct InceptionResnetEmbedder: FaceEmbedder {
  /// The architecture's name in messages and embedder names.
  package static let architecture = "inception-resnet-v1"

  /// `inception-resnet-v1-` followed by a hash of the weights.
  package let name: String
  /// The number of elements of an embedding, 512.
  package var dimension: Int { InceptionResnetV1.dimension }
  /// Two faces count as look-alikes from this similarity on.
  ///
  /// FaceNet's authors verify people at a squared distance of 1.1 (Schroff et al. 2015), a
  /// similarity of 0.45. That suits a single comparison, but datasets need millions of them. This
  /// threshold is therefore stricter: a squared distance of 0.6.
  package let lookAlikeThreshold: Float = 0.7
  /// 160 pixels; a byte x becomes (x - 127.5) / 128.
  package static let input = InputSpec(
    size: 160, mean: [0.5, 0.5, 0.5], std: [128 / 255, 128 / 255, 128 / 255])

  private let network: InceptionResnetV1

  /// Whether the state has this network's keys.
  static func recognises(_ state: StateDict) -> Bool {
    state["last_linear.weight"] != nil && state["block8.conv2d.weight"] != nil
  }

  /// Loads a published checkpoint, without the classifier of the people that it was trained on.
  ///
  /// - Throws: `WeightsError.mismatch` with all keys that are missing, unused or of the wrong
  ///   shape.
  package init(_ state: StateDict) throws(WeightsError) {
    self.init(try Self.network(state))
    TensorMemory.releaseUnused()
  }

  /// The plain network with these weights.
  static func network(_ state: StateDict) throws(WeightsError) -> InceptionResnetV1 {
    let network = InceptionResnetV1()
    // Only PyTorch uses batch norm's step counter; the last layer is the classifier of training.
    let own = try state.renamingKeys { key in
      key.hasSuffix(".num_batches_tracked") || InceptionResnetV1.unusedKeys.contains(key)
        ? nil : key
    }
    try network.store.load(own)
    return network
  }

  /// Creates an embedder with random weights: its embeddings are meaningless, its speed is the
  /// same.
  package init(seed: UInt64) {
    let network = InceptionResnetV1()
    network.store.initialize(seed: seed)
    self.init(network)
  }

  private init(_ network: InceptionResnetV1) {
    name = "\(Self.architecture)-\(network.store.digest)"
    self.network = network.packed()
  }

  /// The network's parameters, without values.
  package static var parameters: [Parameter] { InceptionResnetV1().store.parameters }

  package func embeddings(_ crops: [Image]) -> Tensor {
    crops.embedded(input: Self.input, dimension: dimension) { network($0) }
  }

  /// Embeddings of length 1, [batch, 512], for prepared images, [batch, height, width, 3].
  package func embeddings(prepared x: Tensor) -> Tensor { network(x).scaledToUnitLength() }
}
