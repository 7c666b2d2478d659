/// What was said of a face or a video, beside the truth.
public struct Judgement: Sendable, Equatable {
  /// The probability of a fake, 0 to 1; for what depends on the order alone, any score that is higher for fakes.
  public var score: Double
  /// The truth.
  public var label: FaceLabel
  /// What it counts, 0 or more.
  public var weight: Double

  /// A judgement; it counts once unless told otherwise.
  public init(_ score: Double, _ label: FaceLabel, weight: Double = 1) {
    self.score = score
    self.label = label
    self.weight = weight
  }

  /// Whether the truth is on the score's side of `threshold`.
  public func isRight(threshold: Double = 0.5) -> Bool {
    (score >= threshold) == (label == .fake)
  }
}
