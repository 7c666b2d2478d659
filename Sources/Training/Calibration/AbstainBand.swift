/// A range around one half in which a probability is called neither fake nor real, and what that gives.
public struct AbstainBand: Sendable, Equatable {
  /// The range, both ends included; nil where nothing needs to be left open.
  public var range: ClosedRange<Double>?
  /// The part of the judgements, by what they count, that lie outside and get an answer.
  public var coverage: Double
  /// The part of those that are right.
  public var accuracy: Double

  /// The narrowest range around one half, in steps of 0.01 on either side, outside which at least `accuracy`
  /// of the answers are right; nil where none does. It is chosen on the judgements that it is measured on, so
  /// that others will be somewhat worse.
  public static func narrowest(
    _ judgements: [Judgement], accuracy: Double
  ) -> AbstainBand? {
    let total = judgements.reduce(0) { $0 + $1.weight }
    for step in 0..<50 {
      let half = Double(step) / 100
      let range = step == 0 ? nil : 0.5 - half...0.5 + half
      var (answered, right) = (0.0, 0.0)
      for judgement in judgements where range?.contains(judgement.score) != true {
        answered += judgement.weight
        if judgement.isRight() { right += judgement.weight }
      }
      guard answered > 0 else { return nil }
      if right / answered >= accuracy {
        return AbstainBand(range: range, coverage: answered / total, accuracy: right / answered)
      }
    }
    return nil
  }
}
