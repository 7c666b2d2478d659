import DeepfakeCore

/// All that defines a classifier but its weights.
public struct ClassifierSettings: Sendable, Equatable {
  /// The network.
  public var architecture: Architecture
  /// Whose checkpoint the weights come from; it decides keys and padding.
  public var scheme: Scheme
  /// The norm everywhere in the network.
  public var norm: Norm
  /// The stages of an EfficientNet that are there, from the first; nil for all.
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

  /// A network of one logit as the scheme has it, unless told otherwise. `scheme` covers
  /// `architecture`.
  public init(
    _ architecture: Architecture, scheme: Scheme = .timm, norm: Norm? = nil, classCount: Int = 1,
    input: InputSpec? = nil
  ) {
    precondition(
      scheme.covers(architecture),
      "ClassifierSettings: \(scheme.rawValue) has no \(architecture.rawValue)")
    self.architecture = architecture
    self.scheme = scheme
    self.norm = norm ?? .batch(epsilon: scheme.batchNormEpsilon(architecture))
    self.classCount = classCount
    self.input = input ?? scheme.input(architecture)
  }

  /// The network, without weights; `dropout` before the classifier and `stochasticDepth` (of an
  /// EfficientNet's last block) are the architecture's own unless given.
  public func makeNetwork(
    dropout: Float? = nil, stochasticDepth: Float? = nil
  ) -> any ClassifierNetwork {
    guard let variant = architecture.efficientNet else {
      return Xception(
        XceptionConfiguration(classCount: classCount, norm: norm, dropout: dropout ?? 0))
    }
    var configuration = EfficientNetConfiguration(
      variant, classCount: classCount, norm: norm, padding: scheme.padding, stageCount: stages,
      dropout: dropout)
    if let stochasticDepth { configuration.stochasticDepth = stochasticDepth }
    return EfficientNet(configuration)
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
    let asked = options
    let options = try options.filled(from: state)

    guard let scheme = options.scheme ?? Scheme.recognised(in: state) else {
      throw ClassifierError.unrecognised(
        file: file, what: "scheme", choices: Scheme.allCases.map(\.rawValue))
    }
    guard
      let architecture = options.architecture ?? Architecture.recognised(in: state, scheme)
    else {
      throw ClassifierError.unrecognised(
        file: file, what: "architecture", choices: Architecture.allCases.map(\.rawValue))
    }
    guard scheme.covers(architecture) else {
      throw ClassifierError.invalidSetting(
        file: file, name: "scheme", reason: "\(scheme.rawValue) has no \(architecture.rawValue).")
    }
    try options.validate(file: file)

    var settings = ClassifierSettings(architecture, scheme: scheme)
    switch options.norm ?? (state.hasRunningStatistics ? .batch : .group) {
    case .batch:
      // The metadata's groups are passed over here, a caller's are a mistake to be told of.
      guard asked.groups == nil else {
        throw ClassifierError.invalidSetting(
          file: file, name: "number of groups", reason: "says nothing of a network with batch norm."
        )
      }
    case .group: settings.norm = .group(groups: options.groups ?? 8, epsilon: 1e-5)
    }
    let mapping = KeyMapping(scheme, architecture, for: state)
    if architecture.efficientNet != nil {
      let stages = options.stages ?? state.stageCount(mapping)
      // A checkpoint with no stage at all is refused with the keys that it lacks.
      settings.stages = (1..<EfficientNetVariant.stages.count).contains(stages) ? stages : nil
    } else if options.stages != nil {
      throw ClassifierError.invalidSetting(
        file: file, name: "number of stages", reason: "says nothing of \(architecture.rawValue).")
    }
    let classifier = architecture == .xception ? "fc.weight" : "classifier.weight"
    settings.classCount =
      options.classCount ?? max(1, state[mapping.published(classifier)]?.shape.first ?? 1)
    if let size = options.size { settings.input.size = size }
    if let mean = options.mean { settings.input.mean = mean }
    if let std = options.std { settings.input.std = std }
    if let order = options.channelOrder { settings.input.channelOrder = order }
    if let fit = options.fit { settings.input.fit = fit }
    settings.calibration = try ModelMetadata(state).calibration
    settings.isMirrored = options.isMirrored ?? false
    return settings
  }
}

extension ClassifierOptions {
  /// Throws unless every value that is set can be used.
  func validate(file: String) throws(ClassifierError) {
    func require(_ holds: Bool, _ name: String, _ reason: String) throws(ClassifierError) {
      if !holds { throw .invalidSetting(file: file, name: name, reason: reason) }
    }
    if let size {
      try require((32...4096).contains(size), "size", "is \(size); it must be 32 to 4096 pixels.")
    }
    if let groups {
      try require(
        (1...1024).contains(groups), "number of groups", "is \(groups); it must be 1 to 1024.")
    }
    if let stages {
      let most = EfficientNetVariant.stages.count
      try require(
        (1...most).contains(stages), "number of stages", "is \(stages); it must be 1 to \(most).")
    }
    if let classCount {
      try require(
        (1...100_000).contains(classCount), "number of classes",
        "is \(classCount); it must be 1 to 100000.")
    }
    if let mean {
      try require(
        mean.count == 3 && mean.allSatisfy(\.isFinite), "mean",
        "is \(mean); it must be three numbers.")
    }
    if let std {
      try require(
        std.count == 3 && std.allSatisfy { $0.isFinite && $0 > 0 }, "standard deviation",
        "is \(std); it must be three positive numbers.")
    }
  }
}

extension StateDict {
  fileprivate var hasRunningStatistics: Bool {
    keys.contains { $0.hasSuffix(".running_mean") }
  }
}
