import Classifiers
import DeepfakeCore
import Measures

/// Fits the weights of an ensemble's members on files with known labels, and tests whether the
/// weighted ensemble is better than the plain mean.
///
/// Each way of combining the members is tested by cross-validation over five folds of groups
/// (`EvaluatedFile.group`: people, where known): its weights, scale and offset are fitted to the
/// other four folds. Plain combinations get a calibration fitted in the same way, so that a
/// difference comes from the weights and not from the calibration. Sources and labels are weighted
/// as in `CalibrationJob`.
package struct StackReport: Sendable {
  /// One way of combining the members, with its figures.
  package struct Row: Sendable {
    /// The name in the table.
    package var name: String
    /// The cross-validated figures.
    package var figures: MetricFigures
    /// The figures minus those of the mean of all members; the intervals draw the same groups for
    /// both. Nil for that mean itself.
    package var difference: MetricFigures?
  }

  /// Why no weights can be fitted.
  package enum Problem: Error, Sendable, Equatable, CustomStringConvertible {
    /// The ensemble has only one member.
    case oneMember
    /// There are too few groups for cross-validation.
    case fewGroups(Int)
    /// The fit failed, for the given reason.
    case noFit(String)

    package var description: String {
      switch self {
      case .oneMember: "--stack: the recipe has only one member, so there are no weights to fit."
      case .fewGroups(let count):
        "--stack: \(count) groups are too few for cross-validation; at least ten are needed."
      case .noFit(let reason): "--stack: \(reason)"
      }
    }
  }

  /// The figures of each row, in the order of the table's columns.
  package static let metrics: [Metric] = [.logLoss, .auc, .brier]

  /// The members' names, in order.
  package let members: [String]
  /// Each member's weight in the mean of log odds. None is negative; the sum is 1.
  package let weights: [Double]
  /// The calibration that turns the weighted mean of log odds into the stack's probability. Its
  /// scale is the sum of the fitted weights, its offset the fitted offset.
  package let calibration: LogitCalibration
  /// The mean of the members, the mean of their log odds, the stack, then each member alone.
  package let rows: [Row]
  /// The number of real files that every member has scored.
  package let real: Int
  /// The number of fake files that every member has scored.
  package let fake: Int
  /// The number of groups that the bootstrap draws from.
  package let groups: Int

  /// Fits and tests the weights, on files whose verdicts have been made.
  ///
  /// - Parameter ridge: The strength of the penalty that pulls weights to 0
  ///   (`StackedAggregator.fitted`).
  /// - Throws: `StackReport.Problem` if no weights can be fitted.
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
      throw .noFit("for no member, higher scores mean fake on these files.")
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
      // A member that is worse than chance cannot be calibrated and gets no row.
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

  /// Whether the stack's log loss is clearly lower than the mean's: the interval of the difference
  /// lies below 0.
  package var isBetterThanMean: Bool {
    let difference = rows.first { $0.name == "stack" }?.difference
    return difference?[.logLoss].interval.map { $0.upperBound < 0 } ?? false
  }

  /// The stack fitted to the samples at `places`. Members with a negative weight are removed one at
  /// a time, the most negative first, until no weight is negative.
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

  /// The aggregator with a calibration fitted to the samples at `places`.
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

/// The scores of each file by all members, with the weights of the samples.
private struct StackSamples {
  private(set) var members: [String] = []
  private(set) var scores: [[Float]] = []
  let weighed: WeighedJudgements

  /// Takes the files that every member has scored.
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

/// Assigns numbers to names, from 0 in the order of first use.
struct NameNumbers {
  /// The names in the order of their numbers.
  private(set) var names: [String] = []
  private var numbers: [String: Int] = [:]

  /// The number of a name; a new name gets the next number.
  mutating func number(of name: String) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

/// Takes the score of one member and ignores the others.
private struct MemberAlone: Aggregator {
  let place: Int

  func aggregate(_ scores: [Float]) -> Float { scores[place] }
}

/// An aggregator followed by a calibration.
private struct CalibratedAggregator: Aggregator {
  let base: any Aggregator
  let calibration: LogitCalibration

  func aggregate(_ scores: [Float]) -> Float {
    calibration.probability(of: base.aggregate(scores))
  }
}
