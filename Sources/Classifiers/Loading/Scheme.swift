/// Whose checkpoint it is: the names of its keys, and what the network it came from does that the
/// weights alone do not tell. Families say which schemes there are of their networks.
public struct Scheme: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// The name that commands, recipes and weights files give it.
  public let rawValue: String

  /// A scheme of that name, for a family to declare. It is of use once the family is registered.
  public init(_ name: String) {
    rawValue = name
  }

  /// The scheme of that name; nil where no registered family has it.
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

  /// timm's networks with PyTorch's padding; also what dfkit writes of them.
  public static let timm = Scheme("timm")
  /// Bonettini et al. 2020 (github.com/polimi-ispl/icpr2020dfdc), EfficientNet without attention
  /// and Xception.
  public static let icpr2020dfdc = Scheme("icpr2020dfdc")

  /// Whether the scheme has networks of that architecture.
  public func covers(_ architecture: Architecture) -> Bool {
    architecture.family.covers(architecture, self)
  }

  /// What the network's batch norms add to the variance.
  public func batchNormEpsilon(_ architecture: Architecture) -> Float {
    architecture.family.batchNormEpsilon(architecture, self)
  }

  /// How faces were shown to the network in training.
  public func input(_ architecture: Architecture) -> InputSpec {
    architecture.family.input(architecture, self)
  }
}
