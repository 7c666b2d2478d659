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
    options.size = size ?? metadata.size
    options.mean = mean ?? metadata.mean
    options.std = std ?? metadata.std
    options.channelOrder =
      channelOrder ?? metadata.channelOrder.flatMap { ChannelOrder(rawValue: $0.rawValue) }
    options.fit = fit ?? metadata.fit.flatMap { InputSpec.Fit(rawValue: $0.rawValue) }
    options.classCount = classCount ?? metadata.classes
    return options
  }
}

extension ClassifierSettings {
  /// The settings as a file's metadata, from which `resolve` makes them again.
  public var metadata: ModelMetadata {
    var metadata = ModelMetadata()
    metadata.architecture = architecture.rawValue
    metadata.scheme = scheme.rawValue
    switch norm {
    case .batch: metadata.norm = .batch
    case .group(let groups, _):
      metadata.norm = .group
      metadata.groups = groups
    }
    metadata.size = input.size
    metadata.mean = input.mean
    metadata.std = input.std
    metadata.channelOrder = ModelMetadata.ChannelOrder(rawValue: input.channelOrder.rawValue)
    metadata.fit = ModelMetadata.Fit(rawValue: input.fit.rawValue)
    metadata.classes = classCount
    return metadata
  }
}
