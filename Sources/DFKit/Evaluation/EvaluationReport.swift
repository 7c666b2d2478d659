import Classifiers
import Measures

/// The figures of a detector on files with known labels.
package struct EvaluationReport: Sendable {
  /// The figures of one level: frames, people or videos.
  package struct Level: Sendable {
    package var level: EvaluationLevel
    /// The number of real judgements, decided or not.
    package var real: Int
    /// The number of fake judgements, decided or not.
    package var fake: Int
    /// The fraction that was decided as real or fake, 0 to 1; NaN if there are no judgements.
    package var coverage: Double
    /// The figures of all by their probability. Anything without a probability counts as 0.5, as in
    /// Kaggle's score.
    package var all: MetricFigures
    /// The figures of those that were decided as real or fake.
    package var answered: MetricFigures
    /// The figures of all, with 0.5 for everything undecided.
    package var undecidedAsHalf: MetricFigures
    /// The judgements behind `all`, by falling score.
    package var judgements: [Judgement]
  }

  /// The figures of the files that share a value of a facet.
  package struct Slice: Sendable {
    /// The property by which files are grouped.
    package var facet: Facet
    /// The value that these files share.
    package var value: String
    /// The number of real videos.
    package var real: Int
    /// The number of fake videos.
    package var fake: Int
    /// The figures of these videos. A video without a probability counts as 0.5.
    package var videos: MetricFigures
    /// The fraction of these videos that was decided as real or fake, 0 to 1.
    package var coverage: Double
  }

  package let files: [EvaluatedFile]
  /// The figures for frames, people and videos.
  package let levels: [Level]
  /// The figures by facet. Facets for which all files have the same value are left out.
  package let slices: [Slice]
  /// The number of groups that the bootstrap draws from.
  package let groups: Int
  /// Whether the recipe's probabilities are calibrated; nil if unknown.
  package let isCalibrated: Bool?

  /// Computes all figures of files whose verdicts have been made.
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
