import DeepfakeCore

/// All that defines a classifier but its weights: `NetworkSettings` of which nothing is left open.
public struct ClassifierSettings: Sendable, Equatable {
  /// The network and its size, as `efficientnet-b4`.
  public var architecture: Architecture
  /// Whose checkpoint the weights come from; it decides keys and padding.
  public var scheme: Scheme
  /// The norm everywhere in the network.
  public var norm: Norm
  /// The stages that are there, from the first; nil for all.
  public var stages: Int?
  /// The network's outputs.
  public var classCount: Int
  /// What the network expects of its input.
  public var input: InputSpec
  /// What makes its logits probabilities; nil where the sigmoid or softmax does.
  public var calibration: LogitCalibration?
  /// Whether a crop's outputs are the means of its own and its mirror image's: twice the time, and
  /// mostly a little better than either alone.
  public var isMirrored = false

  /// A network of one logit as the scheme has it, unless told otherwise; the scheme is the family's
  /// usual one if nil, and covers `architecture`.
  public init(
    _ architecture: Architecture, scheme: Scheme? = nil, norm: Norm? = nil, classCount: Int = 1,
    input: InputSpec? = nil
  ) {
    let family = architecture.family
    let scheme = scheme ?? family.schemes[0]
    precondition(
      scheme.covers(architecture),
      "ClassifierSettings: \(scheme.rawValue) has no \(architecture.rawValue)")
    self.architecture = architecture
    self.scheme = scheme
    self.norm = norm ?? .batch(epsilon: scheme.batchNormEpsilon(architecture))
    self.classCount = classCount
    self.input = input ?? scheme.input(architecture)
  }

  /// The network, without weights; `dropout` before the last layer and `stochasticDepth` (of the
  /// last block) are the architecture's own unless given.
  public func makeNetwork(
    dropout: Float? = nil, stochasticDepth: Float? = nil
  ) -> ClassifierNetwork {
    architecture.family.makeNetwork(self, dropout: dropout, stochasticDepth: stochasticDepth)
  }

  /// The settings as somebody who knows them all would give them.
  public var options: ClassifierOptions {
    ClassifierOptions(
      architecture: architecture, scheme: scheme, norm: norm.kind, groups: norm.groups,
      stages: stages, size: input.size, mean: input.mean, std: input.std,
      channelOrder: input.channelOrder, fit: input.fit, classCount: classCount,
      isMirrored: isMirrored)
  }

  /// The settings as a file's metadata, from which `resolve` makes them again, but for
  /// `isMirrored`.
  public var metadata: ModelMetadata {
    var metadata = ModelMetadata()
    metadata.describe(self)
    return metadata
  }
}

extension ModelMetadata {
  /// Takes over all that loading needs of a classifier.
  public mutating func describe(_ settings: ClassifierSettings) {
    network = settings.options
    network.isMirrored = nil
    calibration = settings.calibration
  }
}

extension ClassifierSettings {
  /// What `options`, the checkpoint's metadata, its keys and shapes, and its scheme say, the former
  /// before the latter.
  ///
  /// - Throws: `ClassifierError` when scheme or architecture cannot be told, or a setting makes no
  ///   sense; `WeightsError` when the metadata cannot be read.
  public static func resolve(
    _ state: StateDict, _ options: ClassifierOptions = ClassifierOptions()
  ) throws -> ClassifierSettings {
    let file = state.file
    func invalid(_ name: String, _ reason: String) -> ClassifierError {
      .invalidSetting(file: file, name: name, reason: reason)
    }
    let asked = options
    let options = try options.filled(from: state)
    let named = try options.named(file: file)
    guard let scheme = named.scheme ?? Scheme.recognised(in: state) else {
      throw ClassifierError.unrecognised(
        file: file, what: "scheme", choices: Scheme.allCases.map(\.rawValue))
    }
    guard
      let architecture = named.architecture ?? Architecture.recognised(in: state, scheme)
    else {
      throw ClassifierError.unrecognised(
        file: file, what: "architecture", choices: Architecture.allCases.map(\.rawValue))
    }
    let family = architecture.family
    guard scheme.covers(architecture) else {
      throw invalid("scheme", "\(scheme.rawValue) has no \(architecture.rawValue).")
    }
    if let problem = options.problem { throw invalid(problem.name, problem.reason) }

    var settings = ClassifierSettings(architecture, scheme: scheme)
    let norm = options.norm ?? (state.hasRunningStatistics ? .batch : .group)
    guard family.norms.contains(norm) else {
      throw invalid("norm", "\(norm.rawValue) is not to be had of \(architecture.rawValue).")
    }
    switch norm {
    case .batch:
      // The metadata's groups are passed over here, a caller's are a mistake to be told of.
      guard asked.groups == nil else {
        throw invalid("number of groups", "says nothing of a network with batch norm.")
      }
    case .group: settings.norm = .group(groups: options.groups ?? 8)
    }
    let mapping = KeyMapping(scheme, architecture, for: state)
    if let allowed = family.stages {
      let stages =
        options.stages ?? family.stageCount(in: PublishedKeys(state, mapping)) ?? allowed.upperBound
      guard options.stages == nil || allowed.contains(stages) else {
        throw invalid(
          "number of stages",
          "is \(stages); it must be \(allowed.lowerBound) to \(allowed.upperBound).")
      }
      // A checkpoint with no stage at all is refused with the keys that it lacks.
      settings.stages = stages < allowed.upperBound && allowed.contains(stages) ? stages : nil
    } else if options.stages != nil {
      throw invalid("number of stages", "says nothing of \(architecture.rawValue).")
    }
    if let size = options.size { settings.input.size = size }
    if let mean = options.mean { settings.input.mean = mean }
    if let std = options.std { settings.input.std = std }
    if let order = options.channelOrder { settings.input.channelOrder = order }
    if let fit = options.fit { settings.input.fit = fit }
    settings.classCount =
      options.classCount
      ?? max(1, state[mapping.published(settings.makeNetwork().lastKeys[0])]?.shape.first ?? 1)
    settings.calibration = try ModelMetadata(state).calibration
    settings.isMirrored = options.isMirrored ?? false
    return settings
  }
}

extension StateDict {
  fileprivate var hasRunningStatistics: Bool {
    keys.contains { $0.hasSuffix(".running_mean") }
  }
}
