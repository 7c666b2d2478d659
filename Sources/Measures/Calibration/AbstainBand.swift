/// A range around one half in which a probability is called neither fake nor real, and what that
/// gives on each source of judgements.
package struct AbstainBand: Sendable, Equatable {
  /// What is answered of one source.
  package struct Answers: Sendable, Equatable {
    /// The part of the judgements, by what they count, that get an answer.
    package var coverage: Double
    /// The part of those that are right; NaN where none gets an answer.
    package var accuracy: Double

    /// Parts from 0 to 1.
    package init(coverage: Double, accuracy: Double) {
      self.coverage = coverage
      self.accuracy = accuracy
    }
  }

  /// The range, both ends included; nil where nothing needs to be left open.
  package var range: ClosedRange<Double>?
  /// What is answered of each source, in the order in which they were given.
  package var sources: [Answers]

  /// The part that gets an answer, as a mean over the sources.
  package var coverage: Double { sources.reduce(0) { $0 + $1.coverage } / Double(sources.count) }
  /// The part of the answers that are right, on the source where that is lowest.
  package var accuracy: Double { sources.map(\.accuracy).min() ?? .nan }

  /// By how much more a band must answer than the narrowest around one half, as a part of all, to
  /// be taken although it reaches further to one side.
  package static let clearGain = 0.05

  /// The smallest range, in steps of 0.01 on either side of one half, outside which at least
  /// `accuracy` of the answers are right on every source; nil where there is none. It is chosen on
  /// the judgements that it is measured on, so that on others it will be somewhat worse.
  ///
  /// That is the narrowest range that reaches equally far to both sides. A range that reaches
  /// further to one takes its place where there is none of these, or where it answers `clearGain`
  /// more; it must leave answers of both kinds on every source.
  package static func smallest(_ sources: [[Judgement]], accuracy: Double) -> AbstainBand? {
    let narrowest = narrowest(sources, accuracy: accuracy)
    let counts = sources.map(AnswerCounts.init)
    guard !counts.isEmpty else { return nil }
    var best: AbstainBand?
    for lower in 0..<steps {
      for upper in 0..<steps where lower != upper {
        guard counts.allSatisfy({ $0.hasBoth(lower, upper) }) else { continue }
        let band = AbstainBand(
          range: range(lower, upper), sources: counts.map { $0.answers(lower, upper) })
        if band.accuracy >= accuracy, band.coverage > (best?.coverage ?? 0) { best = band }
      }
    }
    guard let narrowest else { return best }
    guard let best, best.coverage >= narrowest.coverage + clearGain else { return narrowest }
    return best
  }

  /// The narrowest range that reaches equally far to both sides, in steps of 0.01, outside which at
  /// least `accuracy` of the answers are right on every source; nil where there is none.
  package static func narrowest(_ sources: [[Judgement]], accuracy: Double) -> AbstainBand? {
    let counts = sources.map(AnswerCounts.init)
    guard !counts.isEmpty else { return nil }
    for step in 0..<steps {
      let band = AbstainBand(
        range: range(step, step), sources: counts.map { $0.answers(step, step) })
      // Without answers on a source there is no accuracy: a wider range has none either.
      guard !band.sources.contains(where: { $0.accuracy.isNaN }) else { return nil }
      if band.accuracy >= accuracy { return band }
    }
    return nil
  }

  /// What is answered of judgements where a range is left open.
  package static func answers(
    _ judgements: [Judgement], outside range: ClosedRange<Double>?
  ) -> Answers {
    answers(judgements, judgements.map { range?.contains($0.score) != true })
  }

  /// What is answered of judgements where it is known which of them get an answer.
  package static func answers(_ judgements: [Judgement], _ isAnswered: [Bool]) -> Answers {
    var (all, answered, right) = (0.0, 0.0, 0.0)
    for (judgement, isAnswered) in zip(judgements, isAnswered) {
      all += judgement.weight
      guard isAnswered else { continue }
      answered += judgement.weight
      if judgement.isRight() { right += judgement.weight }
    }
    return Answers(coverage: answered / all, accuracy: right / answered)
  }

  private static let steps = 50

  private static func range(_ lower: Int, _ upper: Int) -> ClosedRange<Double>? {
    lower == 0 && upper == 0 ? nil : 0.5 - Double(lower) / 100...0.5 + Double(upper) / 100
  }

  /// What of one source lies below and above each place where a range can end.
  private struct AnswerCounts {
    private struct Side {
      var answered = [Double](repeating: 0, count: AbstainBand.steps)
      var right = [Double](repeating: 0, count: AbstainBand.steps)
    }

    private var below = Side()
    private var above = Side()
    private var whole = Answers(coverage: 1, accuracy: .nan)
    private let total: Double

    init(_ judgements: [Judgement]) {
      total = judgements.reduce(0) { $0 + $1.weight }
      whole = AbstainBand.answers(judgements, outside: nil)
      for judgement in judgements {
        let (weight, isFake) = (judgement.weight, judgement.label == .fake)
        for step in 0..<AbstainBand.steps {
          if judgement.score < 0.5 - Double(step) / 100 {
            below.answered[step] += weight
            if !isFake { below.right[step] += weight }
          } else if judgement.score > 0.5 + Double(step) / 100 {
            above.answered[step] += weight
            if isFake { above.right[step] += weight }
          } else {
            break
          }
        }
      }
    }

    func hasBoth(_ lower: Int, _ upper: Int) -> Bool {
      below.answered[lower] > 0 && above.answered[upper] > 0
    }

    func answers(_ lower: Int, _ upper: Int) -> Answers {
      guard lower > 0 || upper > 0 else { return whole }
      let answered = below.answered[lower] + above.answered[upper]
      return Answers(
        coverage: answered / total, accuracy: (below.right[lower] + above.right[upper]) / answered)
    }
  }
}
