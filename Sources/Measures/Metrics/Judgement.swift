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

/// What was said of a face or a video, beside the truth.
package struct Judgement: Sendable, Equatable {
  /// The probability of a fake, 0 to 1; for what depends on the order alone, any score that is
  /// higher for fakes.
  package var score: Double
  /// The truth.
  package var label: FaceLabel
  /// What it counts, 0 or more.
  package var weight: Double

  /// A judgement; it counts once unless told otherwise.
  package init(_ score: Double, _ label: FaceLabel, weight: Double = 1) {
    self.score = score
    self.label = label
    self.weight = weight
  }

  /// Whether the truth is on the score's side of `threshold`.
  package func isRight(threshold: Double = 0.5) -> Bool {
    (score >= threshold) == (label == .fake)
  }
}
