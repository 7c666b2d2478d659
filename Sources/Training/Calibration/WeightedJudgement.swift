import DeepfakeCore
import Foundation

/// A probability of "fake" beside the truth, and what it counts.
public struct WeightedJudgement: Sendable, Equatable {
  /// The probability, 0 to 1.
  public var probability: Double
  /// The truth.
  public var label: FaceLabel
  /// What it counts, 0 or more.
  public var weight: Double

  /// A judgement.
  public init(_ probability: Double, _ label: FaceLabel, weight: Double = 1) {
    self.probability = probability
    self.label = label
    self.weight = weight
  }
}

/// How good probabilities are, by what judgements count.
public struct ProbabilityScores: Sendable, Equatable {
  /// The mean of -log of the probability given to the truth.
  public var logLoss: Double
  /// The mean squared distance from the truth (Brier 1950).
  public var brier: Double
  /// The expected calibration error: how far, over bins of equal width, mean probabilities lie from the
  /// shares of fakes.
  public var calibrationError: Double
  /// The part on the right side of one half.
  public var accuracy: Double
  /// How often a fake is given a higher probability than a real one, ties counting half; NaN unless there are
  /// both.
  public var auc: Double

  /// How close to 0 and 1 a probability counts as being at most in the log loss.
  public static let clip = 1e-15

  /// The scores; NaN without judgements that count.
  ///
  /// - Parameter bins: of the expected calibration error.
  public init(_ judgements: [WeightedJudgement], bins: Int = 15) {
    var (total, loss, squares, right) = (0.0, 0.0, 0.0, 0.0)
    for judgement in judgements {
      let target = Double(judgement.label.target)
      let p = min(max(judgement.probability, Self.clip), 1 - Self.clip)
      total += judgement.weight
      loss -= judgement.weight * (judgement.label == .fake ? log(p) : log1p(-p))
      let error = judgement.probability - target
      squares += judgement.weight * error * error
      if (judgement.probability >= 0.5) == (judgement.label == .fake) { right += judgement.weight }
    }
    logLoss = loss / total
    brier = squares / total
    accuracy = right / total
    calibrationError = ReliabilityBins(judgements, .equalWidth(bins)).calibrationError
    auc = Self.auc(judgements)
  }

  private static func auc(_ judgements: [WeightedJudgement]) -> Double {
    let sorted = judgements.filter { $0.weight > 0 }.sorted { $0.probability < $1.probability }
    var (reals, fakes, area, place) = (0.0, 0.0, 0.0, 0)
    while place < sorted.count {
      let probability = sorted[place].probability
      var (tiedReals, tiedFakes) = (0.0, 0.0)
      while place < sorted.count, sorted[place].probability == probability {
        if sorted[place].label == .fake {
          tiedFakes += sorted[place].weight
        } else {
          tiedReals += sorted[place].weight
        }
        place += 1
      }
      area += tiedFakes * (reals + tiedReals / 2)
      reals += tiedReals
      fakes += tiedFakes
    }
    return area / (reals * fakes)
  }
}

/// What samples count so that each group counts as one and both labels as half.
public struct GroupWeights: Sendable {
  /// The weight of each sample; together as much as there are groups.
  public let weights: [Double]

  /// Weights for samples of groups.
  ///
  /// - Parameters:
  ///   - groups: each sample's group, from 0; a group has one label.
  ///   - labels: each sample's label.
  ///   - times: how often each group counts, as a bootstrap draws them; once each if nil.
  public init(groups: [Int], labels: [FaceLabel], times: [Double]? = nil) {
    precondition(groups.count == labels.count, "GroupWeights: \(groups.count), \(labels.count)")
    let count = (groups.max() ?? -1) + 1
    var sizes = [Double](repeating: 0, count: count)
    for group in groups { sizes[group] += 1 }
    var totals = [FaceLabel: Double]()
    var weights = [Double](repeating: 0, count: groups.count)
    for (index, group) in groups.enumerated() {
      weights[index] = (times?[group] ?? 1) / sizes[group]
      totals[labels[index], default: 0] += weights[index]
    }
    let all = totals.values.reduce(0, +)
    let present = Double(totals.values.count { $0 > 0 })
    for index in weights.indices {
      let share = totals[labels[index]] ?? 0
      if share > 0 { weights[index] *= all / present / share }
    }
    self.weights = weights
  }
}
