import DeepfakeCore
import Foundation

/// A rule that combines many scores into one: a video's frames, or an ensemble's members.
///
/// ```swift
/// struct TopMean: Aggregator {
///   let count: Int
///
///   func aggregate(_ scores: [Float]) -> Float {
///     let top = scores.sorted(by: >).prefix(count)
///     return top.reduce(0, +) / Float(top.count)
///   }
/// }
/// ```
public protocol Aggregator: Sendable {
  /// Combines `scores`, a non-empty list of probabilities, into one.
  func aggregate(_ scores: [Float]) -> Float
}

/// The mean of the scores, all with the same weight.
public struct MeanAggregator: Aggregator {
  /// Creates the aggregator.
  public init() {}

  /// The mean of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    return Float(scores.reduce(0.0) { $0 + Double($1) } / Double(scores.count))
  }
}

/// The mean of the log odds, as a probability. Confident scores weigh more than in the plain mean.
public struct MeanLogitAggregator: Aggregator {
  /// Scores are clipped to `margin`...1 - `margin` first, because the log odds of 0 and 1 are
  /// infinite.
  public let margin: Float

  /// Creates the aggregator; `margin` lies between 0 and 0.5, both excluded.
  public init(margin: Float = 1e-6) {
    precondition(
      margin > 0 && margin < 0.5, "MeanLogitAggregator: margin \(margin) is not in (0, 0.5)")
    self.margin = margin
  }

  /// The sigmoid of the mean of the logits of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let (low, high) = (Double(margin), 1 - Double(margin))
    let sum = scores.reduce(0.0) { sum, score in
      let p = min(max(Double(score), low), high)
      return sum + log(p / (1 - p))
    }
    return Float(sigmoid(sum / Double(scores.count)))
  }
}

/// The median: the middle score, or the mean of the two middle ones if their number is even.
public struct MedianAggregator: Aggregator {
  /// Creates the aggregator.
  public init() {}

  /// The median of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let sorted = scores.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// The mean after the lowest and the highest scores are removed.
public struct TrimmedMeanAggregator: Aggregator {
  /// The fraction of the scores that is removed at each end; their number is rounded down.
  public let fraction: Float

  /// Creates the aggregator; `fraction` is at least 0 and below 0.5.
  public init(fraction: Float = 0.1) {
    precondition(
      fraction >= 0 && fraction < 0.5,
      "TrimmedMeanAggregator: fraction \(fraction) is not in [0, 0.5)")
    self.fraction = fraction
  }

  /// The mean of the `scores` that remain.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let dropped = Int(fraction * Float(scores.count))
    return MeanAggregator().aggregate(Array(scores.sorted()[dropped..<scores.count - dropped]))
  }
}

/// The highest score: a single frame that looks fake decides.
public struct MaximumAggregator: Aggregator {
  /// Creates the aggregator.
  public init() {}

  /// The maximum of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    return scores.reduce(-.infinity, max)
  }
}

/// The rule of the DFDC's winner (Selim Seferbekov's "confident strategy"). If enough frames are
/// confidently fake, only those count; if almost all are confidently real, only those; otherwise it
/// is the mean.
public struct ConfidentAggregator: Aggregator {
  /// A frame with a score above this is confidently fake.
  public let fake: Float
  /// A frame with a score below this is confidently real.
  public let real: Float

  /// Creates the aggregator; the default thresholds are the winner's.
  public init(fake: Float = 0.8, real: Float = 0.2) {
    self.fake = fake
    self.real = real
  }

  /// The mean of the scores above `fake` if more than 11 and more than two fifths of all (rounded
  /// down) are; else the mean of those below `real` if more than nine tenths are; else the mean of
  /// all.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let fakes = scores.filter { $0 > fake }
    if fakes.count > 11, fakes.count > scores.count * 2 / 5 {
      return MeanAggregator().aggregate(fakes)
    }
    let reals = scores.filter { $0 < real }
    if reals.count * 10 > scores.count * 9 { return MeanAggregator().aggregate(reals) }
    return MeanAggregator().aggregate(scores)
  }
}

/// A weighted mean: a score weighs more the farther it is from one half.
public struct PowerWeightedAggregator: Aggregator {
  /// The exponent of the distance from one half; 0 gives the plain mean.
  public let power: Float

  /// Creates the aggregator; `power` is at least 0.
  public init(power: Float = 2) {
    precondition(
      power >= 0 && power.isFinite, "PowerWeightedAggregator: power \(power) is below 0")
    self.power = power
  }

  /// The mean of `scores`, each with the weight |2 score - 1|^`power`. It is the plain mean if all
  /// scores are one half.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    var (sum, total) = (0.0, 0.0)
    for score in scores {
      let weight = pow(abs(2 * Double(score) - 1), Double(power))
      sum += weight * Double(score)
      total += weight
    }
    return total > 0 ? Float(sum / total) : MeanAggregator().aggregate(scores)
  }
}

extension Aggregator where Self == MeanAggregator {
  /// The mean of the scores, all with the same weight.
  public static var mean: Self { Self() }
}

extension Aggregator where Self == MeanLogitAggregator {
  /// The mean of the log odds, as a probability.
  public static var meanLogit: Self { Self() }
}

extension Aggregator where Self == MedianAggregator {
  /// The median of the scores.
  public static var median: Self { Self() }
}

extension Aggregator where Self == TrimmedMeanAggregator {
  /// The mean without the lowest and the highest `fraction` of the scores.
  public static func trimmedMean(_ fraction: Float) -> Self { Self(fraction: fraction) }
}

extension Aggregator where Self == MaximumAggregator {
  /// The highest of the scores.
  public static var maximum: Self { Self() }
}

extension Aggregator where Self == ConfidentAggregator {
  /// The rule of the DFDC's winner, with its thresholds.
  public static var confident: Self { Self() }
}

extension Aggregator where Self == PowerWeightedAggregator {
  /// A mean in which scores far from one half weigh more.
  public static func powerWeighted(_ power: Float) -> Self { Self(power: power) }
}

private func requireScores(_ scores: [Float], of aggregator: some Aggregator) {
  precondition(!scores.isEmpty, "\(type(of: aggregator)): there are no scores to aggregate")
}
