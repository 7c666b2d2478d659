/// A network that can be built, by the name that commands, recipes and weights files give it: one
/// of a registered family's (`ClassifierFamilies`).
///
/// ```swift
/// let b4 = Architecture.efficientNetB4
/// let same = Architecture(rawValue: "efficientnet-b4")
/// print(Architecture.allCases.map(\.rawValue))
/// ```
public struct Architecture: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// The name that commands, recipes and weights files give it.
  public let rawValue: String

  /// A network of that name, for a family to declare. It is of use once the family is registered.
  public init(_ name: String) {
    rawValue = name
  }

  /// The network of that name; nil where no registered family has it.
  public init?(rawValue: String) {
    self.init(rawValue)
    guard Self.allCases.contains(self) else { return nil }
  }

  /// The networks of all registered families.
  public static var allCases: [Architecture] {
    ClassifierFamilies.all.flatMap(\.architectures)
  }

  /// The family that the network is of, which must be registered.
  public var family: any ClassifierFamily {
    guard let family = ClassifierFamilies.all.first(where: { $0.architectures.contains(self) })
    else {
      preconditionFailure(
        "Architecture: no family has \(rawValue); register it (ClassifierFamilies.register)")
    }
    return family
  }
}
