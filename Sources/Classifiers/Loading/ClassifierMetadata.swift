import DeepfakeCore

extension ClassifierOptions {
  /// These options, completed by what the checkpoint's metadata says.
  ///
  /// - Throws: `WeightsError` or `ClassifierError` when a file that dfkit wrote says something that
  ///   dfkit does not know. Other files' entries may mean anything, and count only where they make
  ///   sense.
  func filled(from state: StateDict) throws -> ClassifierOptions {
    let metadata = try ModelMetadata(state)
    let isOurs = state.metadata["dfkit"] != nil
    func known<T: RawRepresentable<String>>(
      _ name: String, _ value: String?, _ type: T.Type
    ) throws -> T? {
      guard let value else { return nil }
      if let known = T(rawValue: value) { return known }
      guard isOurs else { return nil }
      throw ClassifierError.invalidSetting(
        file: state.file, name: name, reason: "is \(value), which is no classifier's.")
    }

    var options = self
    if architecture == nil {
      options.architecture = try known(
        "architecture", metadata.architecture, Architecture.self)
    }
    if scheme == nil { options.scheme = try known("scheme", metadata.scheme, Scheme.self) }
    options.norm = norm ?? metadata.norm.flatMap { NormKind(rawValue: $0.rawValue) }
    options.groups = groups ?? metadata.groups
    options.stages = stages ?? metadata.stages
    options.size = size ?? metadata.size
    options.mean = mean ?? metadata.mean
    options.std = std ?? metadata.std
    options.channelOrder = channelOrder ?? metadata.channelOrder
    options.fit = fit ?? metadata.fit
    options.classCount = classCount ?? metadata.classes
    return options
  }
}

extension ClassifierSettings {
  /// The settings as a file's metadata, from which `resolve` makes them again.
  public var metadata: ModelMetadata {
    var metadata = ModelMetadata()
    metadata.describe(self)
    return metadata
  }
}

extension ModelMetadata {
  /// Takes over all that loading needs of a classifier.
  public mutating func describe(_ settings: ClassifierSettings) {
    architecture = settings.architecture.rawValue
    scheme = settings.scheme.rawValue
    switch settings.norm {
    case .batch:
      norm = .batch
      groups = nil
    case .group(let count, _):
      norm = .group
      groups = count
    }
    stages = settings.stages
    size = settings.input.size
    mean = settings.input.mean
    std = settings.input.std
    channelOrder = settings.input.channelOrder
    fit = settings.input.fit
    classes = settings.classCount
    calibration = settings.calibration
  }
}
