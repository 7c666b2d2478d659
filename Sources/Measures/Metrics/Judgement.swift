/// The label of a face crop: real or fake.
public enum FaceLabel: UInt8, Sendable, CaseIterable {
  /// An unmanipulated face, as recorded by the camera.
  case real = 0
  /// A swapped or reenacted face.
  case fake = 1

  /// Parses a label: REAL or FAKE in any case, or 0 or 1; nil for any other word.
  public init?(_ word: some StringProtocol) {
    switch word.lowercased() {
    case "real", "0": self = .real
    case "fake", "1": self = .fake
    default: return nil
    }
  }

  /// The label in manifests, REAL or FAKE.
  public var word: String { self == .real ? "REAL" : "FAKE" }

  /// The target probability in training, 0 or 1.
  public var target: Float { Float(rawValue) }
}

/// A score of a face or a video, with the true label.
package struct Judgement: Sendable, Equatable {
  /// The probability of "fake", 0 to 1. For measures that depend only on the order, any score that
  /// is higher for fakes.
  package var score: Double
  package var label: FaceLabel
  /// The weight, 0 or more.
  package var weight: Double

  /// Creates a judgement.
  package init(_ score: Double, _ label: FaceLabel, weight: Double = 1) {
    self.score = score
    self.label = label
    self.weight = weight
  }

  /// Whether the score is on the right side of `threshold`: at least `threshold` for fakes, below
  /// it for reals.
  package func isRight(threshold: Double = 0.5) -> Bool {
    (score >= threshold) == (label == .fake)
  }
}
