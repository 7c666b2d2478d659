import DeepfakeCore

/// dfkit's own embedder: a small network that learned to find the same face again, changed in
/// place, light, sharpness and compression, or a few frames later. See Docs/Identity.md for what it
/// can do.
///
/// It is no face recognition: that two pictures of a person from different days are alike is not
/// what it learned.
package struct LookAlikeEmbedder: FaceEmbedder {
  /// The architecture's name in weights files.
  package static let architecture = "dfkit-look-alike"

  /// `dfkit-look-alike-` and a hash of the weights.
  package let name: String
  /// Numbers an embedding has.
  package var dimension: Int { LookAlikeNetwork.dimension }
  /// The similarity from which two faces count as alike: the weights' file says.
  package let lookAlikeThreshold: Float
  /// What the network expects of its input.
  package let input: InputSpec

  private let network: LookAlikeNetwork

  /// The threshold of weights whose file says none: little but copies reaches it.
  static let defaultThreshold: Float = 0.9

  /// What the network is trained on and expects, at its native size unless told otherwise.
  package static func input(size: Int = LookAlikeNetwork.nativeSize) -> InputSpec {
    InputSpec(size: size, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])
  }

  /// The embedder of a trained network, whose parameters it takes over and releases.
  package init(_ network: LookAlikeNetwork, input: InputSpec, lookAlikeThreshold: Float) {
    name = "\(Self.architecture)-\(network.store.digest)"
    self.input = input
    self.lookAlikeThreshold = lookAlikeThreshold
    self.network = network.packed()
  }

  /// The embedder of a weights file that `metadata` describes.
  ///
  /// - Throws: `WeightsError.mismatch` with every key that is missing, left over or misshapen;
  ///   `ClassifierError` where the file's metadata makes no sense.
  package init(_ state: StateDict) throws {
    let metadata = try ModelMetadata(state)
    let network = LookAlikeNetwork()
    try network.store.load(state)
    let standard = Self.input()
    let size = metadata.size ?? standard.size
    guard (32...1024).contains(size) else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "size", reason: "is \(size); it must be 32 to 1024.")
    }
    var threshold = Self.defaultThreshold
    if let text = metadata.other[Self.thresholdEntry] {
      guard let value = Float(text), (-1...1).contains(value) else {
        throw ClassifierError.invalidSetting(
          file: state.file, name: Self.thresholdEntry,
          reason: "is \(text.prefix(20)); it must be a number from -1 to 1.")
      }
      threshold = value
    }
    self.init(
      network,
      input: InputSpec(
        size: size, mean: metadata.mean ?? standard.mean, std: metadata.std ?? standard.std),
      lookAlikeThreshold: threshold)
  }

  /// What a weights file's metadata calls the threshold.
  package static let thresholdEntry = "lookAlikeThreshold"

  /// What a weights file of such a network says of it.
  package static func metadata(input: InputSpec, lookAlikeThreshold: Float?) -> ModelMetadata {
    var metadata = ModelMetadata()
    metadata.architecture = architecture
    metadata.norm = .batch
    metadata.size = input.size
    metadata.mean = input.mean
    metadata.std = input.std
    metadata.channelOrder = input.channelOrder
    metadata.fit = input.fit
    if let lookAlikeThreshold {
      metadata.other[thresholdEntry] = "\(lookAlikeThreshold)"
    }
    return metadata
  }

  /// The crops' embeddings: the mean of each crop's and its mirror image's, brought to length 1, so
  /// that mirroring changes nothing.
  package func embeddings(_ crops: [Image]) -> Tensor {
    crops.embedded(input: input, dimension: dimension) { x in
      network.normed(x, .inference) + network.normed(x.flipped(axes: [2]), .inference)
    }
  }

  /// What the network makes of prepared images, [batch, height, width, 3]: embeddings of length 1.
  package func embeddings(prepared x: Tensor) -> Tensor { network(x) }
}

extension [Image] {
  /// What `network` makes of the crops, a few at a time so that memory stays bounded, each brought
  /// to length 1: [crops, dimension].
  func embedded(
    input: InputSpec, dimension: Int, batchSize: Int = 16, _ network: (Tensor) -> Tensor
  ) -> Tensor {
    guard !isEmpty else { return Tensor(zeros: [0, dimension]) }
    let parts = stride(from: 0, to: count, by: batchSize).map { start in
      let batch = Array(self[start..<Swift.min(start + batchSize, count)])
      return withoutRecording { network(input.prepare(batch)).scaledToUnitLength() }
    }
    return parts.count == 1 ? parts[0] : .concatenated(parts, axis: 0)
  }
}

extension ParameterStore {
  /// Sixteen hexadecimal digits that tell the parameters' values from others': FNV-1a over keys and
  /// values, in words of 32 bits.
  var digest: String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x0000_0100_0000_01B3 }
    for parameter in parameters {
      for byte in parameter.key.utf8 { mix(UInt64(byte)) }
      parameter.value.withUnsafeBuffer { values in
        for value in values { mix(UInt64(value.bitPattern)) }
      }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
