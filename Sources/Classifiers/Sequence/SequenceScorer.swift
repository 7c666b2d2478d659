import DeepfakeCore

/// A network that judges a person's frames together: the features that a classifier finds in each
/// frame, in the order of time, are read by an LSTM.
///
/// ```swift
/// let scorer = try SequenceScorer(StateDict.read(file))
/// let probability = scorer.scores(crops)  // one number for all crops of a person
/// ```
public struct SequenceScorer: FaceScorer {
  /// The network whose pooled features are read. Its own last layer is not used.
  public let frames: ClassifierModel
  /// The settings of the LSTM.
  public let settings: NetworkSettings.FrameSequence
  /// The calibration of the logit; nil: sigmoid alone.
  public let calibration: LogitCalibration?
  private let head: PackedSource<SequenceHead>

  /// Loads weights that `dfkit train` wrote for a member of the kind `sequence`. All keys are
  /// checked, as for `ClassifierModel`.
  ///
  /// - Throws: `ClassifierError` and `WeightsError` if the weights cannot be used, or are not those
  ///   of a sequence network.
  public init(_ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()) throws {
    guard state.isSequence else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "kind",
        reason: "is frame: the file holds a network that judges each frame alone, not a sequence.")
    }
    let frames = try ClassifierModel(state.ofFrameNetwork, options)
    let features = frames.featureCount
    let load: @Sendable () throws -> SequenceHead = {
      try SequenceHead(loading: state, features: features)
    }
    let head = try load()
    self.frames = frames
    settings = head.settings
    calibration = try ModelMetadata(state).calibration
    self.head = PackedSource(head, reload: load) { $0.packed() }
  }

  /// One probability of "fake" for all crops; empty for no crops.
  public func scores(_ crops: [Image]) -> [Float] { scores(of: crops.map { MotionCrop($0) }) }

  /// One probability of "fake" for all crops, with the later ones that the network compares them
  /// with; empty for no crops.
  package func scores(of crops: [MotionCrop]) -> [Float] {
    guard let logit = logit(of: crops) else { return [] }
    return [calibration.map { $0.probability(logit: logit) } ?? sigmoid(logit)]
  }

  /// The logit of "fake" of a person's crops, in the order of time; nil for no crops. If the clips
  /// are consecutive frames, the mean over clips of at most `settings.frames` frames.
  public func logit(of crops: [Image]) -> Float? { logit(of: crops.map { MotionCrop($0) }) }

  private func logit(of crops: [MotionCrop]) -> Float? {
    guard !crops.isEmpty else { return nil }
    var logit = logit(of: frames.features(of: crops))
    if frames.settings.isMirrored {
      logit = (logit + self.logit(of: frames.features(of: crops, mirrored: true))) / 2
    }
    return logit
  }

  /// The logit of frames by their features, [frames, features].
  private func logit(of features: Tensor) -> Float {
    let head = head.packed
    let clips = settings.windows(of: features.shape[0])
    let logits = clips.map { frames in
      head(features.slice(axis: 0, frames).reshaped([1, frames.count, features.shape[1]]))
        .scalars[0]
    }
    return logits.reduce(0, +) / Float(logits.count)
  }
}

extension SequenceScorer: PackedScorer {
  /// Packs the networks now if they are not packed yet.
  package func prepare() {
    frames.prepare()
    _ = head.packed
  }

  /// Frees the memory of the networks.
  package func unload() {
    frames.unload()
    head.unload()
  }
}

extension NetworkSettings.FrameSequence {
  /// The clips in which `count` frames of a person are judged: all frames together, or runs of
  /// `frames` consecutive ones, of which the last two may overlap.
  package func windows(of count: Int) -> [Range<Int>] {
    guard clips == .consecutive, count > frames else { return [0..<count] }
    return stride(from: 0, to: count, by: frames).map { start in
      let start = min(start, count - frames)
      return start..<start + frames
    }
  }
}

extension ClassifierModel {
  /// The pooled features of crops, [crops, features], or of their mirror images.
  func features(of crops: [MotionCrop], mirrored: Bool = false) -> Tensor {
    let network = network
    let rows = rows(of: crops) { batch in
      [network.pooled(mirrored ? batch.flipped(axes: [2]) : batch)]
    }
    return Tensor(rows.flatMap { $0[0] }, shape: [crops.count, featureCount])
  }
}

extension StateDict {
  /// Whether these are the weights of a sequence network.
  package var isSequence: Bool {
    keys.contains { $0.hasPrefix(SequenceHead.prefix) }
  }

  /// The weights of a sequence network's LSTM and last layer.
  package var ofSequenceHead: StateDict {
    var state = self
    for key in keys where !key.hasPrefix(SequenceHead.prefix) { state[key] = nil }
    return state
  }

  /// The weights of the network that judges frames, as if it were a file of its own. The
  /// calibration belongs to the sequence.
  package var ofFrameNetwork: StateDict {
    guard isSequence else { return self }
    var state = self
    for key in keys where key.hasPrefix(SequenceHead.prefix) { state[key] = nil }
    if var description = try? ModelMetadata(self) {
      description.sequence = nil
      description.calibration = nil
      state.metadata = description.entries
    }
    return state
  }

  /// The scorer that the weights are of: a sequence network, or a classifier of single frames.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be used.
  package func scorer(_ options: ClassifierOptions = ClassifierOptions()) throws -> any FaceScorer {
    isSequence || options.sequence != nil
      ? try SequenceScorer(self, options) : try classifier(options)
  }
}
