/// A range around one half in which no answer is given (neither fake nor real), and the resulting
/// coverage and accuracy on each source of judgements.
package struct AbstainBand: Sendable, Equatable {
  /// The coverage and accuracy on one source.
  package struct Answers: Sendable, Equatable {
    /// The fraction of the judgements, by weight, that get an answer.
    package var coverage: Double
    /// The fraction of the answers, by weight, that are right; NaN if there are no answers.
    package var accuracy: Double

    /// Creates the two fractions, each from 0 to 1.
    package init(coverage: Double, accuracy: Double) {
      self.coverage = coverage
      self.accuracy = accuracy
    }
  }

  /// The range without answers, both ends included; nil: every judgement gets an answer.
  package var range: ClosedRange<Double>?
  /// The coverage and accuracy of each source, in the order in which the sources were given.
  package var sources: [Answers]

  /// The mean of the sources' coverages.
  package var coverage: Double { sources.reduce(0) { $0 + $1.coverage } / Double(sources.count) }
  /// The lowest accuracy of any source.
  package var accuracy: Double { sources.map(\.accuracy).min() ?? .nan }

  /// The additional coverage, as a fraction of all judgements, for which an asymmetric range is
  /// preferred to the narrowest symmetric one.
  package static let clearGain = 0.05

  /// The smallest range, in steps of 0.01 on each side of one half, outside of which at least
  /// `accuracy` of the answers are right on every source; nil if there is none. It is chosen on the
  /// same judgements on which it is measured, so it is somewhat worse on others.
  ///
  /// Normally this is the narrowest symmetric range. An asymmetric range is used if there is no
  /// symmetric one, or if its coverage is higher by at least `clearGain`. It must leave answers of
  /// both labels on every source.
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

  /// The narrowest range symmetric around one half, in steps of 0.01, outside of which at least
  /// `accuracy` of the answers are right on every source; nil if there is none.
  package static func narrowest(_ sources: [[Judgement]], accuracy: Double) -> AbstainBand? {
    let counts = sources.map(AnswerCounts.init)
    guard !counts.isEmpty else { return nil }
    for step in 0..<steps {
      let band = AbstainBand(
        range: range(step, step), sources: counts.map { $0.answers(step, step) })
      // If a source has no answers, its accuracy is undefined, also for every wider range.
      guard !band.sources.contains(where: { $0.accuracy.isNaN }) else { return nil }
      if band.accuracy >= accuracy { return band }
    }
    return nil
  }

  /// The coverage and accuracy of judgements if those inside `range` get no answer; nil: all get
  /// one.
  package static func answers(
    _ judgements: [Judgement], outside range: ClosedRange<Double>?
  ) -> Answers {
    answers(judgements, judgements.map { range?.contains($0.score) != true })
  }

  /// The coverage and accuracy of judgements, given which of them get an answer.
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

  /// For one source, the weights of the judgements below and above each possible end of a range.
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
