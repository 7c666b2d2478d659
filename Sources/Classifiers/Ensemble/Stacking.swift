import DeepfakeCore
import Foundation

/// An aggregator over an ensemble's members that knows each of them: the number of scores is that
/// of the members.
public protocol MemberAggregator: Aggregator {
  /// The aggregator for some of the members, given by their places; not empty.
  func subset(_ members: [Int]) -> any Aggregator
}

/// A mean in which each member has a weight of its own.
public struct WeightedMeanAggregator: MemberAggregator {
  /// The members' weights, in their order; as parts of their sum.
  public let weights: [Float]

  /// The aggregator; no weight is below 0 and one is above.
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

  /// The weighted mean of some members; the plain mean where their weights are 0.
  public func subset(_ members: [Int]) -> any Aggregator {
    let chosen = members.map { weights[$0] }
    return chosen.contains { $0 > 0 } ? WeightedMeanAggregator(chosen) : MeanAggregator()
  }
}

/// Members put together by logistic regression of their log odds: stacking (Wolpert 1992; for
/// probabilities, Ting and Witten 1999).
///
/// ```swift
/// let samples = [
///   StackedAggregator.Sample([0.9, 0.6], isFake: true),  // the scores of the two members
///   StackedAggregator.Sample([0.2, 0.4], isFake: false),
/// ]
/// ensemble.models = try StackedAggregator.fitted(to: samples)
/// ```
public struct StackedAggregator: MemberAggregator, Equatable {
  /// What each member's log odds count, in the members' order.
  public let weights: [Double]
  /// What is added to their sum.
  public let offset: Double

  /// A stack with weights of one's own.
  public init(weights: [Double], offset: Double) {
    precondition(!weights.isEmpty, "StackedAggregator: no weights")
    self.weights = weights
    self.offset = offset
  }

  /// The probability that the members' scores together mean.
  public func aggregate(_ scores: [Float]) -> Float {
    precondition(
      scores.count == weights.count,
      "StackedAggregator: \(scores.count) scores for \(weights.count) weights")
    let sum = zip(scores, weights).reduce(offset) {
      $0 + LogitCalibration.logOdds(Double($1.0)) * $1.1
    }
    return Float(sigmoid(sum))
  }

  /// The stack of some members, whose weights are scaled so that their sum stays; the mean of their
  /// log odds where their weights come to 0 or less.
  public func subset(_ members: [Int]) -> any Aggregator {
    let chosen = members.map { weights[$0] }
    let (sum, all) = (chosen.reduce(0, +), weights.reduce(0, +))
    guard sum > 0, all > 0 else { return MeanLogitAggregator() }
    return StackedAggregator(weights: chosen.map { $0 * all / sum }, offset: offset)
  }

  /// The mean of the members' log odds in which each has a weight of its own: a stack whose weights
  /// come to 1.
  ///
  /// - Parameter weights: none is below 0 and one is above.
  public static func weightedMeanLogit(_ weights: [Float]) -> StackedAggregator {
    let parts = WeightedMeanAggregator(weights).weights
    return StackedAggregator(weights: parts.map { Double($0) }, offset: 0)
  }
}

extension StackedAggregator {
  /// A judgement to learn from: every member's score of one video or face, and the truth.
  public struct Sample: Sendable {
    /// The members' scores, in their order.
    public var scores: [Float]
    /// Whether it is fake.
    public var isFake: Bool
    /// What it counts.
    public var weight: Double

    /// A sample.
    public init(_ scores: [Float], isFake: Bool, weight: Double = 1) {
      self.scores = scores
      self.isFake = isFake
      self.weight = weight
    }
  }

  /// Why there is no stack.
  public enum FitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is one label only, or nothing at all.
    case oneLabel
    /// Samples have scores of different numbers of members, or some that are no probabilities.
    case badScores(sample: Int)
    /// Newton's method did not settle.
    case noConvergence

    /// The message for people.
    public var description: String {
      switch self {
      case .oneLabel: "stacking needs real and fake samples; there are not both."
      case .badScores(let sample):
        "sample \(sample + 1): its scores are not one probability for each member."
      case .noConvergence: "the fit did not settle; give a larger ridge."
      }
    }
  }

  /// The stack under which the truth is likeliest, weights being drawn to 0 by `ridge` / 2 times
  /// their squares, found by Newton's method with LAPACK. What it is fitted on must not be what
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
    // The last column is the offset's.
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
      // Where all are sure, the offset has no curvature left.
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
