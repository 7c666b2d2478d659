import DeepfakeCore

/// A network with weights, ready to score face crops.
///
/// The weights are laid out for the kernels when the network is first used, so that what comes
/// before (finding faces, say) begins at once.
///
/// ```swift
/// let model = try ClassifierModel(StateDict.read(file))
/// print(model.settings.architecture.rawValue, model.input.size)
/// let scores = try model.scores(crops)  // the probability of "fake" for each crop
/// ```
public struct ClassifierModel: FrameClassifier {
  /// What the network is.
  public let settings: ClassifierSettings
  /// What the weights say of the faces that the network learned from; nil where they say nothing.
  package let familiarity: Familiarity?
  /// Crops that pass through the network at once at most.
  public var batchSize = 8
  private let source: NetworkSource

  /// Loads the weights of a checkpoint, all of them: a key that is missing, left over or misshapen
  /// is an error, the scheme's known extras aside. The checkpoint's file stays mapped.
  ///
  /// - Throws: `ClassifierError` (see `ClassifierSettings.resolve`); `WeightsError.mismatch`, under
  ///   the checkpoint's own keys; `WeightsError.unreadable` where what it says of familiar faces is
  ///   damaged.
  public init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    let settings = try ClassifierSettings.resolve(state, options)
    let load: @Sendable () throws -> ClassifierNetwork = {
      let network = settings.makeNetwork()
      try network.loadWeights(
        state, scheme: settings.scheme, architecture: settings.architecture)
      return network
    }
    self.settings = settings
    let network = try load()
    familiarity = try Familiarity(state, featureCount: network.featureCount)
    source = NetworkSource(network) {
      do {
        return try load()
      } catch {
        preconditionFailure("ClassifierModel: weights that loaded before do not load: \(error)")
      }
    }
  }

  /// A network whose weights come from `seed`: its scores mean nothing, its speed is the same.
  public init(random settings: ClassifierSettings, seed: UInt64) {
    self.settings = settings
    familiarity = nil
    let network = settings.makeNetwork()
    network.store.initialize(seed: seed)
    source = NetworkSource(network)
    // Nothing else holds these weights: packed at once, there is never a second copy.
    _ = source.network
    TensorMemory.releaseUnused()
  }

  /// The network, packed; the first to ask waits for that.
  public var network: ClassifierNetwork { source.network }

  /// Packs the network now, where it is not.
  public func prepare() { _ = source.network }

  /// Gives back the memory that the network takes, about that of its weights; it is packed anew
  /// from the checkpoint when it is next used. A network with random weights is kept.
  public func unload() { source.giveUp() }

  /// What the network expects of its input.
  public var input: InputSpec { settings.input }
  /// Numbers that the network gives an image.
  public var classCount: Int { settings.classCount }
  /// What the checkpoint says of its logits.
  public var calibration: LogitCalibration? { settings.calibration }

  /// The network's raw outputs, [batch, classCount]; means with those of the mirror images where
  /// the settings say so.
  public func logits(_ batch: Tensor) -> Tensor {
    withMirrorImages(network(batch), of: batch)
  }

  /// The means of a batch's outputs and its mirror images', where the settings say so.
  func withMirrorImages(_ logits: Tensor, of batch: Tensor) -> Tensor {
    guard settings.isMirrored else { return logits }
    return (logits + network(batch.flipped(axes: [2]))) * 0.5
  }
}

extension ClassifierNetwork {
  /// Fills the network from a checkpoint of that scheme, strictly; on failure nothing changes.
  public func loadWeights(
    _ state: StateDict, scheme: Scheme, architecture: Architecture
  ) throws(WeightsError) {
    let mapping = KeyMapping(scheme, architecture, for: state)
    let renamed = try mapping.renamed(state, for: store.parameters)
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
