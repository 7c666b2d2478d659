import Classifiers
import Measures

/// The unit that is judged and compared with the label.
package enum EvaluationLevel: String, Sendable, CaseIterable {
  /// Every scored face.
  case frame
  /// Every person who was scored in enough frames. They are assumed to have the label of the file.
  case person
  /// Every file.
  case video

  /// The plural for tables.
  package var title: String {
    switch self {
    case .frame: "frames"
    case .person: "people"
    case .video: "videos"
    }
  }
}

/// The score that an undecided verdict counts with.
enum UndecidedRule {
  /// Its probability, or 0.5 if there is none, as in Kaggle's score.
  case scored
  /// Always 0.5.
  case half
  /// None: it is left out.
  case leftOut
}

/// The judgements of one level, and the groups that the bootstrap draws.
struct EvaluationUnits {
  private(set) var judgements: [Judgement] = []
  /// The group of each judgement, from 0.
  private(set) var groups: [Int] = []
  private(set) var groupCount = 0

  /// The number of judgements with this label.
  func count(_ label: FaceLabel) -> Int { judgements.count { $0.label == label } }

  /// Collects the judgements of some files, sorted by falling score. Groups are numbered in the
  /// order of the files.
  init(
    _ files: [EvaluatedFile], _ level: EvaluationLevel, _ maker: VerdictMaker,
    undecided rule: UndecidedRule = .scored
  ) {
    var places: [String: Int] = [:]
    for file in files {
      let group = places[file.group] ?? places.count
      places[file.group] = group
      for score in Self.scores(file.report, level, maker, rule) {
        judgements.append(Judgement(score, file.label))
        groups.append(group)
      }
    }
    groupCount = places.count
    // Sort by falling score once, so that the bootstrap does not have to sort each draw.
    let order = judgements.indices.sorted { judgements[$0].score > judgements[$1].score }
    judgements = order.map { judgements[$0] }
    groups = order.map { groups[$0] }
  }

  /// The scores of all units of a file.
  private static func scores(
    _ report: VideoReport, _ level: EvaluationLevel, _ maker: VerdictMaker, _ rule: UndecidedRule
  ) -> [Double] {
    switch level {
    case .frame:
      report.scores.faces.map { Double(maker.combination.models.aggregate($0.scores)) }
    case .person: maker.people(of: report).compactMap { $0.verdict.score(rule) }
    case .video: [report.verdict.score(rule)].compactMap { $0 }
    }
  }

  /// The figures of the judgements, with intervals from a bootstrap over whole groups.
  func figures(_ bootstrap: GroupBootstrap, _ metrics: [Metric] = Metric.allCases) -> MetricFigures
  {
    MetricFigures(metrics, groups: groupCount, bootstrap) { self.metrics($0) }
  }

  /// The metrics of the judgements. `times` is how often each group was drawn, which is the weight
  /// of its judgements; nil: all weigh 1.
  func metrics(_ times: [Double]?) -> BinaryMetrics {
    guard let times else { return BinaryMetrics(judgements) }
    return BinaryMetrics(
      zip(judgements, groups).map { Judgement($0.score, $0.label, weight: times[$1]) })
  }
}

extension Verdict {
  /// The score that the verdict counts with; nil: it is left out.
  fileprivate func score(_ rule: UndecidedRule) -> Double? {
    let probability = probability.map { Double($0) }
    guard case .undecided = self else { return probability }
    switch rule {
    case .scored: return probability ?? 0.5
    case .half: return 0.5
    case .leftOut: return nil
    }
  }
}
