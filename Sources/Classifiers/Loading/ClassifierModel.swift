import DeepfakeCore

/// A network with weights, ready to score face crops.
public struct ClassifierModel: FrameClassifier {
  /// What the network is.
  public let settings: ClassifierSettings
  /// The network, packed.
  public let network: any PackedClassifier
  /// Crops that pass through the network at once at most.
  public var batchSize = 8

  /// Loads the weights of a checkpoint, all of them: a key that is missing, left over or misshapen
  /// is an error, the scheme's known extras aside.
  ///
  /// - Throws: `ClassifierError` (see `ClassifierSettings.resolve`); `WeightsError.mismatch`, under
  ///   the checkpoint's own keys.
  public init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    settings = try ClassifierSettings.resolve(state, options)
    let network = settings.makeNetwork()
    try network.loadWeights(state, scheme: settings.scheme, architecture: settings.architecture)
    self.network = network.packed()
    TensorMemory.releaseUnused()
  }

  /// A network whose weights come from `seed`: its scores mean nothing, its speed is the same.
  public init(random settings: ClassifierSettings, seed: UInt64) {
    self.settings = settings
    let network = settings.makeNetwork()
    network.store.initialize(seed: seed)
    self.network = network.packed()
    TensorMemory.releaseUnused()
  }

  /// What the network expects of its input.
  public var input: InputSpec { settings.input }
  /// Numbers that the network gives an image.
  public var classCount: Int { settings.classCount }

  /// The network's raw outputs, [batch, classCount].
  public func logits(_ batch: Tensor) -> Tensor { network.logits(batch) }
}

extension ClassifierNetwork {
  /// Fills the network from a checkpoint of that scheme, strictly; on failure nothing changes.
  public func loadWeights(
    _ state: StateDict, scheme: Scheme, architecture: Architecture
  ) throws(WeightsError) {
    let mapping = KeyMapping(scheme, architecture) { state[$0] != nil }
    let renamed = try mapping.renamed(state, for: store.parameters, architecture)
    do {
      try store.load(renamed, strict: true)
    } catch .mismatch(var mismatch) {
      // Whoever reads this has the checkpoint's keys before them, not the network's.
      mismatch.missing = mismatch.missing.map(mapping.published)
      for i in mismatch.misshapen.indices {
        mismatch.misshapen[i].key = mapping.published(mismatch.misshapen[i].key)
      }
      throw .mismatch(mismatch)
    }
  }
}

extension KeyMapping {
  /// The checkpoint's tensors under the network's keys, known extras left out; others keep theirs.
  func renamed(
    _ state: StateDict, for parameters: [Parameter], _ architecture: Architecture
  ) throws(WeightsError) -> StateDict {
    var own: [String: String] = [:]
    for parameter in parameters { own[published(parameter.key)] = parameter.key }
    var renamed = try state.renamingKeys { key in own[key] ?? (isKnownExtra(key) ? nil : key) }
    if architecture == .xception {
      // The first published file holds its 1x1 convolutions as matrices.
      for key in renamed.keys where key.hasSuffix(".pointwise.weight") {
        if let matrix = renamed[key], matrix.shape.count == 2 {
          renamed[key] = matrix.withTrailingAxes(rank: 4)
        }
      }
    }
    return renamed
  }
}
