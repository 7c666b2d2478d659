/// A checkpoint format, named after its project: its keys, and properties of the original network
/// that the weights do not show, such as padding. Each family lists the schemes of its networks.
public struct Scheme: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// The name in commands, recipes and weights files.
  public let rawValue: String

  /// Declares a scheme. Only families call this; the scheme can be used once the family is
  /// registered.
  public init(_ name: String) {
    rawValue = name
  }

  /// The scheme of that name; nil if no registered family has it.
  public init?(rawValue: String) {
    self.init(rawValue)
    guard Self.allCases.contains(self) else { return nil }
  }

  /// The schemes of all registered families.
  public static var allCases: [Scheme] {
    ClassifierFamilies.all.reduce(into: []) { all, family in
      all += family.schemes.filter { !all.contains($0) }
    }
  }

  /// timm's networks with PyTorch's padding; also the format of the weights that dfkit writes.
  public static let timm = Scheme("timm")
  /// Bonettini et al. 2020 (github.com/polimi-ispl/icpr2020dfdc), EfficientNet without attention
  /// and Xception.
  public static let icpr2020dfdc = Scheme("icpr2020dfdc")

  /// Whether the scheme has checkpoints of that architecture.
  public func covers(_ architecture: Architecture) -> Bool {
    architecture.family.covers(architecture, self)
  }

  /// The epsilon that the network's batch norms add to the variance.
  public func batchNormEpsilon(_ architecture: Architecture) -> Float {
    architecture.family.batchNormEpsilon(architecture, self)
  }

  /// The size and normalisation of the input with which the network was trained.
  public func input(_ architecture: Architecture) -> InputSpec {
    architecture.family.input(architecture, self)
  }
}
