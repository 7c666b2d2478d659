import DeepfakeCore

/// Faces embedded by facenet-pytorch's Inception-ResNet-v1, trained on VGGFace2 or CASIA-WebFace to
/// recognise people (https://github.com/timesler/facenet-pytorch). The weights are not part of
/// dfkit.
package struct InceptionResnetEmbedder: FaceEmbedder {
  /// The architecture's name.
  package static let architecture = "inception-resnet-v1"

  /// `inception-resnet-v1-` and a hash of the weights.
  package let name: String
  /// Numbers an embedding has.
  package var dimension: Int { InceptionResnetV1.dimension }
  /// The similarity from which two faces count as alike.
  ///
  /// FaceNet's authors verify people at a squared distance of 1.1 (Schroff et al. 2015), a
  /// similarity of 0.45, which is right for one comparison. Datasets are compared pair by pair in
  /// millions: this is the squared distance 0.6.
  package let lookAlikeThreshold: Float = 0.7
  /// 160 pixels, bytes to (x - 127.5) / 128.
  package static let input = InputSpec(
    size: 160, mean: [0.5, 0.5, 0.5], std: [128 / 255, 128 / 255, 128 / 255])

  private let network: InceptionResnetV1

  /// Whether the keys are this network's.
  static func recognises(_ state: StateDict) -> Bool {
    state["last_linear.weight"] != nil && state["block8.conv2d.weight"] != nil
  }

  /// Loads a published checkpoint, all of it but the classifier of the people it was trained on.
  ///
  /// - Throws: `WeightsError.mismatch` with every key that is missing, left over or misshapen.
  package init(_ state: StateDict) throws(WeightsError) {
    let network = InceptionResnetV1()
    let own = try state.renamingKeys { key in
      key.hasSuffix(".num_batches_tracked") || InceptionResnetV1.unusedKeys.contains(key)
        ? nil : key
    }
    try network.store.load(own)
    self.init(network)
    TensorMemory.releaseUnused()
  }

  /// An embedder whose weights come from a seed: what it says means nothing, its speed is the same.
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

  /// What the network makes of prepared images, [batch, height, width, 3]: embeddings of length 1.
  package func embeddings(prepared x: Tensor) -> Tensor { network(x).scaledToUnitLength() }
}
