import DeepfakeCore

/// dfkit's own embedder: a small network that learned to find the same face again after a change of
/// position, light, sharpness or compression, or a few frames later. Docs/Identity.md describes its
/// results.
///
/// It is not face recognition: it did not learn that two pictures of a person from different days
/// are alike.
package struct LookAlikeEmbedder: FaceEmbedder {
  /// The architecture's name in weights files.
  package static let architecture = "dfkit-look-alike"

  /// `dfkit-look-alike-` followed by a hash of the weights.
  package let name: String
  /// The number of elements of an embedding, 128.
  package var dimension: Int { LookAlikeNetwork.dimension }
  /// Two faces count as look-alikes from this similarity on; the weights file gives it.
  package let lookAlikeThreshold: Float
  /// The size and normalisation of the input.
  package let input: InputSpec

  private let network: LookAlikeNetwork

  /// The threshold if the weights file gives none. Hardly anything but copies of a face reaches it.
  static let defaultThreshold: Float = 0.9

  /// The input that the network is trained with, of its native size by default.
  package static func input(size: Int = LookAlikeNetwork.nativeSize) -> InputSpec {
    InputSpec(size: size, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])
  }

  /// Creates an embedder from a trained network, whose parameters are packed and released.
  package init(_ network: LookAlikeNetwork, input: InputSpec, lookAlikeThreshold: Float) {
    name = "\(Self.architecture)-\(network.store.digest)"
    self.input = input
    self.lookAlikeThreshold = lookAlikeThreshold
    self.network = network.packed()
  }

  /// Creates an embedder from a weights file, using the input size, normalisation and threshold of
  /// its metadata.
  ///
  /// - Throws: `WeightsError.mismatch` with all keys that are missing, unused or of the wrong
  ///   shape; `ClassifierError` if the metadata's size or threshold is out of range.
  package init(_ state: StateDict) throws {
    let metadata = try ModelMetadata(state)
    let network = LookAlikeNetwork()
    try network.store.load(state)
    let input = try Self.input(of: metadata, file: state.file)
    var threshold = Self.defaultThreshold
    if let text = metadata.other[Self.thresholdEntry] {
      guard let value = Float(text), (-1...1).contains(value) else {
        throw ClassifierError.invalidSetting(
          file: state.file, name: Self.thresholdEntry,
          reason: "is \(text.prefix(20)); it must be a number from -1 to 1.")
      }
      threshold = value
    }
    self.init(network, input: input, lookAlikeThreshold: threshold)
  }

  /// The input that a weights file's metadata state.
  ///
  /// - Throws: `ClassifierError` if the size is out of range.
  static func input(
    of metadata: ModelMetadata, file: String
  ) throws(ClassifierError) -> InputSpec {
    let standard = input()
    let size = metadata.size ?? standard.size
    guard (32...1024).contains(size) else {
      throw .invalidSetting(
        file: file, name: "size", reason: "is \(size); it must be 32 to 1024.")
    }
    return InputSpec(
      size: size, mean: metadata.mean ?? standard.mean, std: metadata.std ?? standard.std)
  }

  /// The metadata key of the threshold in weights files.
  package static let thresholdEntry = "lookAlikeThreshold"

  /// The metadata for a weights file of such a network.
  package static func metadata(input: InputSpec, lookAlikeThreshold: Float?) -> ModelMetadata {
    var metadata = ModelMetadata()
    metadata.architecture = architecture
    metadata.norm = .batch
    metadata.describe(input)
    if let lookAlikeThreshold {
      metadata.other[thresholdEntry] = "\(lookAlikeThreshold)"
    }
    return metadata
  }

  /// The crops' embeddings, [crops, 128]: the sum of a crop's and its mirror image's outputs,
  /// scaled to length 1. Mirroring a crop therefore does not change its embedding.
  package func embeddings(_ crops: [Image]) -> Tensor {
    crops.embedded(input: input, dimension: dimension) { x in
      network.normed(x, .inference) + network.normed(x.flipped(axes: [2]), .inference)
    }
  }

  /// Embeddings of length 1, [batch, 128], for prepared images, [batch, height, width, 3], without
  /// their mirror images.
  package func embeddings(prepared x: Tensor) -> Tensor { network(x) }
}

extension [Image] {
  /// Runs `network` on the crops in batches of `batchSize`, which limits the memory used, and
  /// scales each output to length 1: [crops, dimension].
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
  /// A hash of the parameters as 16 hexadecimal digits: FNV-1a over the keys' bytes and the values'
  /// 32-bit words.
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
