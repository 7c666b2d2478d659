import DeepfakeCore

/// Settings that the caller gives for a weights file. A nil setting comes from the file's metadata,
/// from its keys and shapes, or from its scheme, in this order.
public typealias ClassifierOptions = NetworkSettings

extension NetworkSettings {
  /// The kinds of norm: batch and group.
  public typealias NormKind = Norm.Kind

  /// Creates options; nil means that the weights file decides.
  public init(
    architecture: Architecture? = nil, scheme: Scheme? = nil, norm: Norm.Kind? = nil,
    groups: Int? = nil, stages: Int? = nil, size: Int? = nil, mean: [Float]? = nil,
    std: [Float]? = nil, channelOrder: ChannelOrder? = nil, fit: Fit? = nil,
    classCount: Int? = nil, isMirrored: Bool? = nil, difference: Difference? = nil
  ) {
    self.init()
    self.architecture = architecture?.rawValue
    self.scheme = scheme?.rawValue
    self.norm = norm
    self.groups = groups
    self.stages = stages
    self.size = size
    self.mean = mean
    self.std = std
    self.channelOrder = channelOrder
    self.fit = fit
    self.classCount = classCount
    self.isMirrored = isMirrored
    self.difference = difference?.seconds
    differenceChannels = difference?.channels
  }

  /// Fills nil settings from the checkpoint's metadata.
  ///
  /// - Throws: `WeightsError` or `ClassifierError` if a file written by dfkit holds unknown values.
  ///   In other files such entries may have another meaning, so unknown values are ignored.
  func filled(from state: StateDict) throws -> NetworkSettings {
    var stated = try ModelMetadata(state).network
    let isOurs = state.metadata["dfkit"] != nil
    func check<T: RawRepresentable<String>>(
      _ name: String, _ path: WritableKeyPath<NetworkSettings, String?>, _ type: T.Type
    ) throws {
      guard self[keyPath: path] == nil, let value = stated[keyPath: path], T(rawValue: value) == nil
      else { return }
      guard !isOurs else {
        throw ClassifierError.invalidSetting(
          file: state.file, name: name, reason: "is \(value), which no registered classifier has.")
      }
      stated[keyPath: path] = nil
    }
    try check("architecture", \.architecture, Architecture.self)
    try check("scheme", \.scheme, Scheme.self)
    var settings = self
    settings.fill(from: stated)
    return settings
  }

  /// The architecture and the scheme that are set by name; nil if not set.
  ///
  /// - Throws: `ClassifierError` for a name that no registered family has.
  func named(file: String) throws(ClassifierError) -> (
    architecture: Architecture?, scheme: Scheme?
  ) {
    func known<T: RawRepresentable<String> & CaseIterable>(
      _ name: String, _ value: String?, _ type: T.Type
    ) throws(ClassifierError) -> T? {
      guard let value else { return nil }
      guard let known = T(rawValue: value) else {
        let choices = T.allCases.map(\.rawValue).joined(separator: ", ")
        throw .invalidSetting(
          file: file, name: name, reason: "is \(value); it must be one of \(choices).")
      }
      return known
    }
    return (
      try known("architecture", architecture, Architecture.self),
      try known("scheme", scheme, Scheme.self)
    )
  }
}
