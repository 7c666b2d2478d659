import Classifiers
import DeepfakeCore
import Training

/// What the members of an ensemble should count, fitted on files of known truth, and whether that
/// is better than to count them alike.
///
/// Each way of putting members together is judged by others' fit: weights, scale and offset are
/// those that the other four fifths of the groups (`EvaluatedFile.group`: people, where they are
/// known) give. The plain ways get a calibration fitted in the same manner, so that a difference is
/// that of the weights and not of the calibration. Sources and labels count as in `CalibrationJob`.
package struct StackReport: Sendable {
  /// A way of putting members together.
  package struct Row: Sendable {
    /// What it is called.
    package var name: String
    /// Its figures, by others' fit.
    package var figures: MetricFigures
    /// How much each figure exceeds that of the mean of all members; draws are of the same groups.
    /// Nil for that mean itself.
    package var difference: MetricFigures?
  }

  /// Why nothing can be said of weights.
  package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is one member only.
    case oneMember
    /// There are too few groups to fit on some and judge others.
    case fewGroups(Int)
    /// There is no fit.
    case noFit(String)

    /// The message for people.
    package var description: String {
      switch self {
      case .oneMember: "--stack: the recipe has one member; there is nothing to weigh."
      case .fewGroups(let count):
        "--stack: \(count) groups are too few to fit weights to some and judge the others; ten"
          + " are needed."
      case .noFit(let reason): "--stack: \(reason)"
      }
    }
  }

  /// The figures of each row, in the table's order.
  package static let metrics: [Metric] = [.logLoss, .auc, .brier]

  /// The members' names, in order.
  package let members: [String]
  /// Each member's weight in the mean of log odds, as a part of their sum; none is below 0.
  package let weights: [Double]
  /// What then makes that mean a probability: the stack's own weights and offset, said in another
  /// way.
  package let calibration: LogitCalibration
  /// The mean of the members first, then the mean of their log odds, the stack, and each member
  /// alone.
  package let rows: [Row]
  /// Files with a judgement of every member, real and fake.
  package let real: Int
  /// The fake ones.
  package let fake: Int
  /// The number of groups that intervals are drawn from.
  package let groups: Int

  /// Fits and measures, on files whose verdicts have been made.
  ///
  /// - Parameter ridge: what draws weights to 0 (`StackedAggregator.fitted`).
  /// - Throws: `StackReport.Problem`.
  package init(
    _ files: [EvaluatedFile], ridge: Double = 1, _ bootstrap: GroupBootstrap = .init()
  ) throws(Problem) {
    let judged = StackSamples(files)
    guard judged.members.count > 1 else { throw .oneMember }
    let clusters = judged.weighed.clusterCount
    guard let folds = CrossFolds(groups: clusters, seed: bootstrap.seed) else {
      throw .fewGroups(clusters)
    }
    let all = Array(judged.scores.indices)
    let stack = try Self.stack(judged, all, ridge)
    let sum = stack.weights.reduce(0, +)
    guard sum > 0, let calibration = LogitCalibration(scale: sum, offset: stack.offset) else {
      throw .noFit("no member's higher scores mean fake on these files.")
    }
    self.calibration = calibration
    weights = stack.weights.map { $0 / sum }
    members = judged.members

    func crossFitted(_ fit: ([Int]) throws(Problem) -> any Aggregator) throws(Problem) -> [Float] {
      var probabilities = [Float](repeating: .nan, count: all.count)
      for fold in 0..<folds.count {
        func isIn(_ index: Int) -> Bool { folds.ofGroup[judged.weighed.clusters[index]] == fold }
        let aggregator = try fit(all.filter { !isIn($0) })
        for index in all where isIn(index) {
          probabilities[index] = aggregator.aggregate(judged.scores[index])
        }
      }
      return probabilities
    }
    func plain(_ aggregator: any Aggregator) throws(Problem) -> [Float] {
      try crossFitted { others throws(Problem) in
        try Self.calibrated(aggregator, judged, others)
      }
    }
    let mean = try plain(.mean)
    var ways: [(name: String, probabilities: [Float])] = [
      ("mean of log odds", try plain(.meanLogit)),
      (
        "stack",
        try crossFitted { others throws(Problem) in try Self.stack(judged, others, ridge) }
      ),
    ]
    for (place, name) in members.enumerated() {
      // A member that is worse than chance has no calibration, and no row.
      guard let alone = try? plain(MemberAlone(place: place)) else { continue }
      ways.append(("\(name) alone", alone))
    }
    let weighed = judged.weighed
    rows =
      [Row(name: "mean", figures: weighed.figures(mean, bootstrap, Self.metrics))]
      + ways.map { name, probabilities in
        Row(
          name: name, figures: weighed.figures(probabilities, bootstrap, Self.metrics),
          difference: weighed.difference(probabilities, from: mean, bootstrap, Self.metrics))
      }
    real = weighed.count(.real)
    fake = weighed.count(.fake)
    groups = clusters
  }

  /// Whether the stack's log loss is surely lower than the mean's: 0 is not in the interval of the
  /// difference.
  package var isBetterThanMean: Bool {
    let difference = rows.first { $0.name == "stack" }?.difference
    return difference?[.logLoss].interval.map { $0.upperBound < 0 } ?? false
  }

  /// The stack of the samples at some places, in which no member counts less than nothing: those
  /// that would are left out, the lowest first.
  private static func stack(
    _ judged: StackSamples, _ places: [Int], _ ridge: Double
  ) throws(Problem) -> StackedAggregator {
    let weights = judged.weighed.subset(places).weights()
    var kept = Array(judged.members.indices)
    while true {
      let samples = zip(places, weights).map { place, weight in
        StackedAggregator.Sample(
          kept.map { judged.scores[place][$0] }, isFake: judged.weighed.labels[place] == .fake,
          weight: weight)
      }
      let found: StackedAggregator
      do {
        found = try StackedAggregator.fitted(to: samples, ridge: ridge)
      } catch {
        throw .noFit(error.description)
      }
      guard let lowest = found.weights.indices.min(by: { found.weights[$0] < found.weights[$1] }),
        found.weights[lowest] < 0, kept.count > 1
      else {
        var weights = [Double](repeating: 0, count: judged.members.count)
        for (member, weight) in zip(kept, found.weights) { weights[member] = weight }
        return StackedAggregator(weights: weights, offset: found.offset)
      }
      kept.remove(at: lowest)
    }
  }

  /// An aggregator with the calibration that the samples at some places give it.
  private static func calibrated(
    _ aggregator: any Aggregator, _ judged: StackSamples, _ places: [Int]
  ) throws(Problem) -> CalibratedAggregator {
    let weights = judged.weighed.subset(places).weights()
    let samples = zip(places, weights).map { place, weight in
      CalibrationFit.Sample(
        LogitCalibration.logOdds(Double(aggregator.aggregate(judged.scores[place]))),
        judged.weighed.labels[place], weight: weight)
    }
    do {
      return CalibratedAggregator(
        base: aggregator, calibration: try CalibrationFit.smoothingIfNeeded(samples).calibration)
    } catch {
      throw .noFit("\(error)")
    }
  }
}

/// Each file's scores of all members, with what decides how much it counts.
private struct StackSamples {
  private(set) var members: [String] = []
  private(set) var scores: [[Float]] = []
  let weighed: WeighedJudgements

  /// The files that every member has judged.
  init(_ files: [EvaluatedFile]) {
    members = files.lazy.map { $0.report.members.map(\.name) }.first { !$0.isEmpty } ?? []
    let judged = files.filter { [members] in
      !members.isEmpty && $0.report.members.map(\.name) == members
    }
    scores = judged.map { $0.report.members.map(\.probability) }
    var (groups, sources) = (NameNumbers(), NameNumbers())
    weighed = WeighedJudgements(
      labels: judged.map(\.label), groups: Array(judged.indices),
      clusters: judged.map { groups.number(of: $0.group) },
      sources: judged.map { sources.number(of: $0.source ?? "") })
  }
}

/// Numbers for names, from 0 in the order in which they are asked for.
struct NameNumbers {
  /// The names in the order of their numbers.
  private(set) var names: [String] = []
  private var numbers: [String: Int] = [:]

  /// The name's number.
  mutating func number(of name: String) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

/// One member's score.
private struct MemberAlone: Aggregator {
  let place: Int

  func aggregate(_ scores: [Float]) -> Float { scores[place] }
}

/// An aggregator whose outcome is calibrated.
private struct CalibratedAggregator: Aggregator {
  let base: any Aggregator
  let calibration: LogitCalibration

  func aggregate(_ scores: [Float]) -> Float {
    calibration.probability(of: base.aggregate(scores))
  }
}
