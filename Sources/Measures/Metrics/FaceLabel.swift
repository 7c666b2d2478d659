/// What a face crop shows.
public enum FaceLabel: UInt8, Sendable, CaseIterable {
  /// A person as the camera saw them.
  case real = 0
  /// A swapped or re-enacted face.
  case fake = 1

  /// The label that a word stands for: REAL or FAKE in any case, or 0 or 1.
  public init?(_ word: some StringProtocol) {
    switch word.lowercased() {
    case "real", "0": self = .real
    case "fake", "1": self = .fake
    default: return nil
    }
  }

  /// The word in manifests.
  public var word: String { self == .real ? "REAL" : "FAKE" }

  /// What the network's probability should be.
  public var target: Float { Float(rawValue) }
}
