import Classifiers
import Training

/// How good a detector is on files of known truth.
package struct EvaluationReport: Sendable {
  /// Judgements of one level.
  package struct Level: Sendable {
    /// What is judged as one.
    package var level: EvaluationLevel
    /// How many are real and fake, answered or not.
    package var real: Int
    /// How many are fake.
    package var fake: Int
    /// The part of them that got an answer: fake or real.
    package var coverage: Double
    /// The figures of all by their probability, 0.5 where there is none: as Kaggle's score.
    package var all: MetricFigures
    /// The figures of those that got an answer.
    package var answered: MetricFigures
    /// The figures of all where everything that is undecided counts as 0.5.
    package var undecidedAsHalf: MetricFigures
    /// The judgements that `all` is of, by falling score.
    package var judgements: [Judgement]
  }

  /// The files that have something in common.
  package struct Slice: Sendable {
    /// What tells them from others.
    package var facet: Facet
    /// What they have in common.
    package var value: String
    /// Real videos.
    package var real: Int
    /// Fake videos.
    package var fake: Int
    /// The figures of their videos by their probability, 0.5 where there is none.
    package var videos: MetricFigures
    /// The part that got an answer.
    package var coverage: Double
  }

  /// The files and what was seen in them.
  package let files: [EvaluatedFile]
  /// Frames, people and videos.
  package let levels: [Level]
  /// Where it is good and where not; facets of which there is one value only are left out.
  package let slices: [Slice]
  /// The number of groups that intervals are drawn from.
  package let groups: Int
  /// Whether the recipe's probabilities are calibrated; nil where that is not known.
  package let isCalibrated: Bool?

  /// Measures.
  package init(
    _ files: [EvaluatedFile], _ maker: VerdictMaker, _ bootstrap: GroupBootstrap = .init()
  ) {
    self.files = files
    levels = EvaluationLevel.allCases.map { Level($0, files, maker, bootstrap) }
    slices = Facet.allCases.flatMap { facet in Self.slices(facet, files, maker, bootstrap) }
    groups = Set(files.map(\.group)).count
    isCalibrated = maker.decision.isCalibrated
  }

  private static func slices(
    _ facet: Facet, _ files: [EvaluatedFile], _ maker: VerdictMaker, _ bootstrap: GroupBootstrap
  ) -> [Slice] {
    var members: [String: [EvaluatedFile]] = [:]
    for file in files {
      if let value = facet.value(file, maker) { members[value, default: []].append(file) }
    }
    guard members.count > 1 else { return [] }
    return members.sorted { $0.key.localizedStandardCompare($1.key) == .orderedAscending }
      .map { value, files in
        let level = Level(.video, files, maker, bootstrap)
        return Slice(
          facet: facet, value: value, real: level.real, fake: level.fake, videos: level.all,
          coverage: level.coverage)
      }
  }
}

extension EvaluationReport.Level {
  fileprivate init(
    _ level: EvaluationLevel, _ files: [EvaluatedFile], _ maker: VerdictMaker,
    _ bootstrap: GroupBootstrap
  ) {
    let all = EvaluationUnits(files, level, maker)
    let answered = EvaluationUnits(files, level, maker, undecided: .leftOut)
    let half = EvaluationUnits(files, level, maker, undecided: .half)
    self.init(
      level: level, real: all.count(.real), fake: all.count(.fake),
      coverage: Double(answered.judgements.count) / Double(all.judgements.count),
      all: all.figures(bootstrap), answered: answered.figures(bootstrap),
      undecidedAsHalf: half.figures(bootstrap), judgements: all.judgements)
  }
}
