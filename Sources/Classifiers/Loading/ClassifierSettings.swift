import DeepfakeCore

/// Everything that defines a classifier except its weights: `NetworkSettings` with all values
/// known.
public struct ClassifierSettings: Sendable, Equatable {
  /// The network and its size, such as `efficientnet-b4`.
  public var architecture: Architecture
  /// The format of the checkpoint that the weights come from; it decides keys and padding.
  public var scheme: Scheme
  /// The norm of all layers: batch or group norm, with its parameters.
  public var norm: Norm
  /// The number of stages, counted from the first; nil for all.
  public var stages: Int?
  /// The number of outputs per image.
  public var classCount: Int
  /// The size and normalisation of the input.
  public var input: InputSpec
  /// The calibration of the logits; nil: sigmoid or softmax alone.
  public var calibration: LogitCalibration?
  /// Whether to average the outputs of a crop and its mirror image. It takes twice the time and is
  /// mostly a little better than either alone.
  public var isMirrored = false

  /// Creates settings, by default of a network with one logit. The scheme's defaults fill norm and
  /// input. The default scheme is the family's first; a given scheme must cover `architecture`.
  public init(
    _ architecture: Architecture, scheme: Scheme? = nil, norm: Norm? = nil, classCount: Int = 1,
    input: InputSpec? = nil
  ) {
    let family = architecture.family
    let scheme = scheme ?? family.schemes[0]
    precondition(
      scheme.covers(architecture),
      "ClassifierSettings: there are no \(scheme.rawValue) checkpoints of \(architecture.rawValue)")
    self.architecture = architecture
    self.scheme = scheme
    self.norm = norm ?? .batch(epsilon: scheme.batchNormEpsilon(architecture))
    self.classCount = classCount
    self.input = input ?? scheme.input(architecture)
  }

  /// Builds the network, without weights. `dropout` (before the last layer) and `stochasticDepth`
  /// default to the architecture's own.
  public func makeNetwork(
    dropout: Float? = nil, stochasticDepth: Float? = nil
  ) -> ClassifierNetwork {
    let family = architecture.family
    let network = family.makeNetwork(self, dropout: dropout, stochasticDepth: stochasticDepth)
    checkStem(of: network)
    return network
  }

  /// The settings as options that set every value. `stages` is nil for all stages, `groups` for
  /// batch norm.
  public var options: ClassifierOptions {
    ClassifierOptions(
      architecture: architecture, scheme: scheme, norm: norm.kind, groups: norm.groups,
      stages: stages, size: input.size, mean: input.mean, std: input.std,
      channelOrder: input.channelOrder, fit: input.fit, classCount: classCount,
      isMirrored: isMirrored, difference: input.difference)
  }

  /// The settings as metadata of a weights file, from which `resolve` restores them, except for
  /// `isMirrored`.
  public var metadata: ModelMetadata {
    var metadata = ModelMetadata()
    metadata.describe(self)
    return metadata
  }
}

extension ModelMetadata {
  /// Sets the entries about a network's input.
  mutating func describe(_ input: InputSpec) {
    network.size = input.size
    network.mean = input.mean
    network.std = input.std
    network.channelOrder = input.channelOrder
    network.fit = input.fit
    network.difference = input.difference?.seconds
    network.differenceChannels = input.difference?.channels
  }

  /// Stores all settings that loading a classifier needs.
  public mutating func describe(_ settings: ClassifierSettings) {
    network = settings.options
    network.isMirrored = nil
    calibration = settings.calibration
  }
}

extension ClassifierSettings {
  /// Determines the settings of a checkpoint from, in order of precedence, `options`, its metadata,
  /// its keys and shapes, and the defaults of its scheme.
  ///
  /// - Throws: `ClassifierError` if the scheme or architecture cannot be determined or a setting is
  ///   invalid; `WeightsError` if the metadata cannot be read.
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
      throw invalid(
        "scheme",
        "is \(scheme.rawValue), and there are no \(scheme.rawValue) checkpoints of"
          + " \(architecture.rawValue).")
    }
    if let problem = options.problem { throw invalid(problem.name, problem.reason) }

    var settings = ClassifierSettings(architecture, scheme: scheme)
    let norm = options.norm ?? (state.hasRunningStatistics ? .batch : .group)
    guard family.norms.contains(norm) else {
      throw invalid("norm", "is \(norm.rawValue), which \(architecture.rawValue) does not support.")
    }
    switch norm {
    case .batch:
      // Groups from the metadata are ignored here; groups from the caller are an error to report.
      guard asked.groups == nil else {
        throw invalid("number of groups", "does not apply to a network with batch norm.")
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
      // For a checkpoint without any stage, loading fails later with the list of missing keys.
      settings.stages = stages < allowed.upperBound && allowed.contains(stages) ? stages : nil
    } else if options.stages != nil {
      throw invalid("number of stages", "does not apply to \(architecture.rawValue).")
    }
    settings.input.apply(options)
    settings.input.difference = try options.difference(
      of: architecture, in: PublishedKeys(state, mapping))
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
