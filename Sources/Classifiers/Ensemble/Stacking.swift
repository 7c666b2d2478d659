import DeepfakeCore
import Foundation

/// An aggregator that treats each member of an ensemble differently. It takes exactly one score per
/// member, in the members' order.
public protocol MemberAggregator: Aggregator {
  /// The aggregator for some of the members, given by their indices; `members` is not empty.
  func subset(_ members: [Int]) -> any Aggregator
}

/// A mean in which each member has its own weight.
public struct WeightedMeanAggregator: MemberAggregator {
  /// The members' weights, in their order, scaled to a sum of 1.
  public let weights: [Float]

  /// Creates the aggregator. No weight is negative and at least one is positive.
  public init(_ weights: [Float]) {
    let sum = weights.reduce(0, +)
    precondition(
      weights.allSatisfy { $0 >= 0 } && sum > 0 && sum.isFinite,
      "WeightedMeanAggregator: weights \(weights)")
    self.weights = weights.map { $0 / sum }
  }

  /// The weighted mean of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    precondition(
      scores.count == weights.count,
      "WeightedMeanAggregator: \(scores.count) scores for \(weights.count) weights")
    return zip(scores, weights).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The weighted mean of some members; the plain mean if all their weights are 0.
  public func subset(_ members: [Int]) -> any Aggregator {
    let chosen = members.map { weights[$0] }
    return chosen.contains { $0 > 0 } ? WeightedMeanAggregator(chosen) : MeanAggregator()
  }
}

/// Stacking: a logistic regression on the members' log odds (Wolpert 1992; for probabilities, Ting
/// and Witten 1999).
///
/// ```swift
/// let samples = [
///   StackedAggregator.Sample([0.9, 0.6], isFake: true),  // the scores of the two members
///   StackedAggregator.Sample([0.2, 0.4], isFake: false),
/// ]
/// ensemble.models = try StackedAggregator.fitted(to: samples)
/// ```
public struct StackedAggregator: MemberAggregator, Equatable {
  /// The factor of each member's log odds, in the members' order.
  public let weights: [Double]
  /// The bias, added to the weighted sum of log odds.
  public let offset: Double

  /// Creates a stack with given weights; `weights` is not empty.
  public init(weights: [Double], offset: Double) {
    precondition(!weights.isEmpty, "StackedAggregator: no weights")
    self.weights = weights
    self.offset = offset
  }

  /// The sigmoid of the weighted sum of the scores' log odds plus `offset`.
  public func aggregate(_ scores: [Float]) -> Float {
    precondition(
      scores.count == weights.count,
      "StackedAggregator: \(scores.count) scores for \(weights.count) weights")
    let sum = zip(scores, weights).reduce(offset) {
      $0 + LogitCalibration.logOdds(Double($1.0)) * $1.1
    }
    return Float(sigmoid(sum))
  }

  /// The stack of some members, with their weights scaled to keep the sum of all weights. It is the
  /// mean of the members' log odds if the sum of their weights, or of all weights, is not positive.
  public func subset(_ members: [Int]) -> any Aggregator {
    let chosen = members.map { weights[$0] }
    let (sum, all) = (chosen.reduce(0, +), weights.reduce(0, +))
    guard sum > 0, all > 0 else { return MeanLogitAggregator() }
    return StackedAggregator(weights: chosen.map { $0 * all / sum }, offset: offset)
  }

  /// A weighted mean of the members' log odds: a stack whose weights sum to 1, without an offset.
  ///
  /// - Parameter weights: The members' weights. No weight is negative and at least one is positive.
  public static func weightedMeanLogit(_ weights: [Float]) -> StackedAggregator {
    let parts = WeightedMeanAggregator(weights).weights
    return StackedAggregator(weights: parts.map { Double($0) }, offset: 0)
  }
}

extension StackedAggregator {
  /// A training sample: every member's score of one video or face, and the label.
  public struct Sample: Sendable {
    /// The members' scores, in the members' order.
    public var scores: [Float]
    /// Whether the video or face is fake.
    public var isFake: Bool
    /// The sample's weight in the loss.
    public var weight: Double

    /// Creates a sample.
    public init(_ scores: [Float], isFake: Bool, weight: Double = 1) {
      self.scores = scores
      self.isFake = isFake
      self.weight = weight
    }
  }

  /// Why a stack cannot be fitted.
  public enum FitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// All samples have the same label, or there are no samples.
    case oneLabel
    /// The number of scores differs between samples, or a score is not in 0...1.
    case badScores(sample: Int)
    /// Newton's method did not converge.
    case noConvergence

    /// The message to show to users.
    public var description: String {
      switch self {
      case .oneLabel: "stacking needs real and fake samples; one of the two is missing."
      case .badScores(let sample):
        "sample \(sample + 1): it must have one probability for each member."
      case .noConvergence: "the fit did not converge; use a larger ridge."
      }
    }
  }

  /// Fits a stack by Newton's method with LAPACK: maximum likelihood, with `ridge` / 2 times the
  /// sum of the squared weights as a penalty (the offset has none). Do not fit it on data that the
  /// members were trained on.
  ///
  /// - Throws: `FitError`.
  public static func fitted(to samples: [Sample], ridge: Double = 1) throws(FitError) -> Self {
    precondition(ridge > 0, "StackedAggregator: ridge \(ridge)")
    guard samples.contains(where: { $0.isFake && $0.weight > 0 }),
      samples.contains(where: { !$0.isFake && $0.weight > 0 })
    else { throw .oneLabel }
    let count = samples[0].scores.count
    if let bad = samples.firstIndex(where: { sample in
      sample.scores.count != count || count == 0
        || !sample.scores.allSatisfy { $0 >= 0 && $0 <= 1 }
    }) {
      throw .badScores(sample: bad)
    }
    // The last column belongs to the offset.
    let rows = samples.map { $0.scores.map { LogitCalibration.logOdds(Double($0)) } + [1] }
    var parameters = [Double](repeating: 0, count: count + 1)
    var loss = penalizedLoss(parameters, rows, samples, ridge)
    for _ in 0..<100 {
      var gradient = parameters.map { ridge * $0 }
      gradient[count] = 0
      var hessian = Matrix(
        rows: count + 1, columns: count + 1,
        elements: Array(repeating: 0, count: (count + 1) * (count + 1)))
      for place in 0..<count { hessian[place, place] = ridge }
      for (row, sample) in zip(rows, samples) {
        let p = sigmoid(zip(row, parameters).reduce(0) { $0 + $1.0 * $1.1 })
        let error = sample.weight * (p - (sample.isFake ? 1 : 0))
        let curvature = sample.weight * p * (1 - p)
        for i in 0...count {
          gradient[i] += error * row[i]
          for j in 0...count { hessian[i, j] += curvature * row[i] * row[j] }
        }
      }
      // If all predictions are near 0 or 1, the offset's curvature vanishes; keep it positive.
      hessian[count, count] += 1e-12
      guard let step = try? hessian.solvedPositiveDefinite(gradient) else { throw .noConvergence }
      var length = 1.0
      var next = parameters
      repeat {
        next = zip(parameters, step).map { $0 - length * $1 }
        length /= 2
      } while penalizedLoss(next, rows, samples, ridge) > loss + 1e-12 && length > 1e-8
      let change = zip(next, parameters).map { abs($0 - $1) }.max() ?? 0
      parameters = next
      loss = penalizedLoss(parameters, rows, samples, ridge)
      if change < 1e-10 {
        return StackedAggregator(
          weights: Array(parameters.dropLast()), offset: parameters[count])
      }
    }
    throw .noConvergence
  }

  private static func penalizedLoss(
    _ parameters: [Double], _ rows: [[Double]], _ samples: [Sample], _ ridge: Double
  ) -> Double {
    var loss = parameters.dropLast().reduce(0) { $0 + ridge / 2 * $1 * $1 }
    for (row, sample) in zip(rows, samples) {
      let sum = zip(row, parameters).reduce(0) { $0 + $1.0 * $1.1 }
      let x = sample.isFake ? sum : -sum
      loss += sample.weight * (max(-x, 0) + log1p(exp(-abs(x))))
    }
    return loss
  }
}
