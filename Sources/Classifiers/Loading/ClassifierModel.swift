import DeepfakeCore

/// A network with weights, ready to score face crops.
///
/// The weights are packed for the kernels when the network is first used. Work that comes before,
/// such as detecting faces, can therefore start at once.
///
/// ```swift
/// let model = try ClassifierModel(StateDict.read(file))
/// print(model.settings.architecture.rawValue, model.input.size)
/// let scores = try model.scores(crops)  // the probability of "fake" for each crop
/// ```
public struct ClassifierModel: FrameClassifier, PackedScorer {
  /// The settings of the network: its architecture, scheme and input.
  public let settings: ClassifierSettings
  /// Statistics of the faces that the network learned from; nil if the weights file holds none.
  package let familiarity: Familiarity?
  /// The largest number of crops in a batch.
  public var batchSize = 8
  private let source: PackedSource<ClassifierNetwork>

  /// Loads a checkpoint strictly: a key that is missing, unused or of the wrong shape is an error,
  /// except for extra keys that the scheme is known to have. The checkpoint's file stays
  /// memory-mapped.
  ///
  /// - Throws: `ClassifierError` (see `ClassifierSettings.resolve`); `WeightsError.mismatch`, with
  ///   the checkpoint's own keys; `WeightsError.unreadable` if the data on familiar faces is
  ///   damaged.
  public init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    guard !state.isSequence else { throw ClassifierError.sequence(file: state.file) }
    let state = try state.namedByGraph()
    let settings = try ClassifierSettings.resolve(state, options)
    let load: @Sendable () throws -> ClassifierNetwork = {
      let network = settings.makeNetwork()
      try network.loadWeights(
        state, scheme: settings.scheme, architecture: settings.architecture)
      return network
    }
    self.settings = settings
    let network = try load()
    featureCount = network.featureCount
    familiarity = try Familiarity(state, featureCount: network.featureCount)
    source = PackedSource(network, reload: load) { $0.packed() }
  }

  /// Creates a network with random weights from `seed`: its scores are meaningless, its speed is
  /// the same.
  public init(random settings: ClassifierSettings, seed: UInt64) {
    self.settings = settings
    familiarity = nil
    let network = settings.makeNetwork()
    featureCount = network.featureCount
    network.store.initialize(seed: seed)
    source = PackedSource(network) { $0.packed() }
    // Nothing else uses these weights. Packing them now avoids a second copy.
    _ = source.packed
    TensorMemory.releaseUnused()
  }

  /// The packed network. The first access packs it, and other threads wait for that.
  public var network: ClassifierNetwork { source.packed }

  /// Packs the network now if it is not packed yet.
  public func prepare() { _ = source.packed }

  /// Frees the memory of the network, about the size of its weights. The next use packs it again
  /// from the checkpoint. A network with random weights stays in memory.
  public func unload() { source.unload() }

  /// The size and normalisation of the network's input.
  public var input: InputSpec { settings.input }
  /// The number of pooled features per image.
  package let featureCount: Int
  /// The number of outputs per image.
  public var classCount: Int { settings.classCount }
  /// The calibration stored in the checkpoint; nil if there is none.
  public var calibration: LogitCalibration? { settings.calibration }

  /// The logits, [batch, classCount]; with `settings.isMirrored`, the means of those of the images
  /// and of their mirror images.
  public func logits(_ batch: Tensor) -> Tensor {
    withMirrorImages(network(batch), of: batch)
  }

  /// With `settings.isMirrored`, the means of `logits` and those of the mirror images; otherwise
  /// `logits`.
  func withMirrorImages(_ logits: Tensor, of batch: Tensor) -> Tensor {
    settings.isMirrored ? logits.averaged(withMirrorOf: batch) { network($0) } : logits
  }
}

extension Tensor {
  /// The means of these logits of a batch and the logits of its mirror images.
  func averaged(withMirrorOf batch: Tensor, by network: (Tensor) -> Tensor) -> Tensor {
    (self + network(batch.flipped(axes: [2]))) * 0.5
  }
}

extension ClassifierNetwork {
  /// Loads a checkpoint of the scheme strictly. If it fails, the network does not change.
  public func loadWeights(
    _ state: StateDict, scheme: Scheme, architecture: Architecture
  ) throws(WeightsError) {
    let mapping = KeyMapping(scheme, architecture, for: state)
    let renamed = try mapping.renamed(state, for: store.parameters)
    do {
      try store.load(renamed, strict: true)
    } catch .mismatch(var mismatch) {
      // The reader of the error knows the checkpoint's keys, not the network's.
      mismatch.missing = mismatch.missing.map(mapping.published)
      for i in mismatch.misshapen.indices {
        mismatch.misshapen[i].key = mapping.published(mismatch.misshapen[i].key)
      }
      throw .mismatch(mismatch)
    }
  }
}
