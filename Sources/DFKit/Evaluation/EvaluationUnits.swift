import Classifiers
import Training

/// What is judged as one and compared with the truth.
package enum EvaluationLevel: String, Sendable, CaseIterable {
  /// Every judged face.
  case frame
  /// Every person of a file who was judged in enough frames; the file's truth is taken for theirs.
  case person
  /// Every file.
  case video

  /// The plural in tables.
  package var title: String {
    switch self {
    case .frame: "frames"
    case .person: "people"
    case .video: "videos"
    }
  }
}

/// What counts for something that is undecided.
enum UndecidedRule {
  /// Its probability, 0.5 where there is none: what Kaggle's score asks for.
  case scored
  /// 0.5 in any case.
  case half
  /// Nothing: it is left out.
  case leftOut
}

/// Judgements of one level, with the groups that are drawn for intervals.
struct EvaluationUnits {
  private(set) var judgements: [Judgement] = []
  /// The group of each.
  private(set) var groups: [Int] = []
  private(set) var groupCount = 0

  /// How many are of a label.
  func count(_ label: FaceLabel) -> Int { judgements.count { $0.label == label } }

  /// The units of some files.
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
    // By falling score, so that no draw has to sort them again.
    let order = judgements.indices.sorted { judgements[$0].score > judgements[$1].score }
    judgements = order.map { judgements[$0] }
    groups = order.map { groups[$0] }
  }

  /// The scores of a file's units.
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

  /// The figures of the judgements, with intervals from whole groups drawn anew.
  func figures(_ bootstrap: GroupBootstrap, _ metrics: [Metric] = Metric.allCases) -> MetricFigures
  {
    MetricFigures(metrics, groups: groupCount, bootstrap) { self.metrics($0) }
  }

  /// The judgements, given how often each group counts; nil is once each.
  func metrics(_ times: [Double]?) -> BinaryMetrics {
    guard let times else { return BinaryMetrics(judgements) }
    return BinaryMetrics(
      zip(judgements, groups).map { Judgement($0.score, $0.label, weight: times[$1]) })
  }
}

extension Verdict {
  /// What counts for it; nil leaves it out.
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
