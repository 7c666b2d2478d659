/// A network architecture, identified by its name in commands, recipes and weights files. It
/// belongs to a registered family (`ClassifierFamilies`).
///
/// ```swift
/// let b4 = Architecture.efficientNetB4
/// let same = Architecture(rawValue: "efficientnet-b4")
/// print(Architecture.allCases.map(\.rawValue))
/// ```
public struct Architecture: RawRepresentable, Sendable, Hashable, CaseIterable {
  /// The name in commands, recipes and weights files.
  public let rawValue: String

  /// Declares an architecture. Only families call this; its networks can be built once the family
  /// is registered.
  public init(_ name: String) {
    rawValue = name
  }

  /// The architecture of that name; nil if no registered family has it.
  public init?(rawValue: String) {
    self.init(rawValue)
    guard Self.allCases.contains(self) else { return nil }
  }

  /// The architectures of all registered families.
  public static var allCases: [Architecture] {
    ClassifierFamilies.all.flatMap(\.architectures)
  }

  /// The architecture's family; it must be registered.
  public var family: any ClassifierFamily {
    guard let family = ClassifierFamilies.all.first(where: { $0.architectures.contains(self) })
    else {
      preconditionFailure(
        "Architecture: no family has \(rawValue); register it (ClassifierFamilies.register)")
    }
    return family
  }
}
