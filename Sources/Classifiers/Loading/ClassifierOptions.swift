import DeepfakeCore

/// What a caller knows better than a weights file. Whatever is nil comes from the file's metadata,
/// from its keys and shapes, or from its scheme, in this order.
public struct ClassifierOptions: Sendable, Equatable {
  /// The kinds of norm.
  public enum NormKind: String, Sendable, CaseIterable {
    /// Batch normalisation.
    case batch
    /// Group normalisation.
    case group
  }

  /// The network.
  public var architecture: Architecture?
  /// Whose checkpoint it is.
  public var scheme: Scheme?
  /// The norm.
  public var norm: NormKind?
  /// The groups of group norm; 8 where nothing says otherwise.
  public var groups: Int?
  /// The stages of an EfficientNet that are there, from the first, 1 to 7.
  public var stages: Int?
  /// The side of the input, 32 to 4096 pixels.
  public var size: Int?
  /// The input's mean, red, green, blue, for values in 0...1.
  public var mean: [Float]?
  /// The input's standard deviation.
  public var std: [Float]?
  /// The input's channel order.
  public var channelOrder: ChannelOrder?
  /// How crops are brought to the size.
  public var fit: InputSpec.Fit?
  /// The network's outputs.
  public var classCount: Int?
  /// Whether crops are also seen in a mirror (`ClassifierSettings.isMirrored`).
  public var isMirrored: Bool?

  /// Options that leave all to the file.
  public init(
    architecture: Architecture? = nil, scheme: Scheme? = nil, norm: NormKind? = nil,
    groups: Int? = nil, stages: Int? = nil, size: Int? = nil, mean: [Float]? = nil,
    std: [Float]? = nil, channelOrder: ChannelOrder? = nil, fit: InputSpec.Fit? = nil,
    classCount: Int? = nil, isMirrored: Bool? = nil
  ) {
    self.architecture = architecture
    self.scheme = scheme
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
  }
}
