import DeepfakeCore
import Foundation

/// A way to make one score out of many: a video's out of its frames', an ensemble's out of its
/// members'.
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
  /// The one score; `scores` are probabilities and not empty.
  func aggregate(_ scores: [Float]) -> Float
}

/// The mean of the scores, each counting the same.
public struct MeanAggregator: Aggregator {
  /// The aggregator.
  public init() {}

  /// The mean of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    return Float(scores.reduce(0.0) { $0 + Double($1) } / Double(scores.count))
  }
}

/// The mean of the log odds, as a probability: certain scores weigh more than in the mean.
public struct MeanLogitAggregator: Aggregator {
  /// Scores are first held this far from 0 and 1, whose log odds are infinite.
  public let margin: Float

  /// The aggregator; `margin` lies between 0 and 0.5, both excluded.
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

/// The middle score; of an even number, the mean of the two in the middle.
public struct MedianAggregator: Aggregator {
  /// The aggregator.
  public init() {}

  /// The median of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let sorted = scores.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// The mean without the lowest and the highest scores.
public struct TrimmedMeanAggregator: Aggregator {
  /// The part of the scores that is left out at either end, rounded down.
  public let fraction: Float

  /// The aggregator; `fraction` is at least 0 and below 0.5.
  public init(fraction: Float = 0.1) {
    precondition(
      fraction >= 0 && fraction < 0.5,
      "TrimmedMeanAggregator: fraction \(fraction) is not in [0, 0.5)")
    self.fraction = fraction
  }

  /// The mean of what is left of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    let dropped = Int(fraction * Float(scores.count))
    return MeanAggregator().aggregate(Array(scores.sorted()[dropped..<scores.count - dropped]))
  }
}

/// The highest of the scores: one frame that looks fake decides.
public struct MaximumAggregator: Aggregator {
  /// The aggregator.
  public init() {}

  /// The maximum of `scores`.
  public func aggregate(_ scores: [Float]) -> Float {
    requireScores(scores, of: self)
    return scores.reduce(-.infinity, max)
  }
}

/// The rule of the DFDC's winner (Selim Seferbekov's "confident strategy"): many confidently fake
/// frames outvote the rest, as do almost only confidently real ones; otherwise the mean.
public struct ConfidentAggregator: Aggregator {
  /// Above this a frame is confidently fake.
  public let fake: Float
  /// Below this a frame is confidently real.
  public let real: Float

  /// The aggregator with the winner's thresholds unless others are given.
  public init(fake: Float = 0.8, real: Float = 0.2) {
    self.fake = fake
    self.real = real
  }

  /// The mean of the scores above `fake` if they are more than 11 and more than two fifths (of the
  /// count, rounded down); else the mean of those below `real` if they are more than nine tenths;
  /// else the mean of all.
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

/// A mean in which sure scores weigh more: by a power of their distance from one half.
public struct PowerWeightedAggregator: Aggregator {
  /// The power; 0 is the plain mean.
  public let power: Float

  /// The aggregator; `power` is at least 0.
  public init(power: Float = 2) {
    precondition(
      power >= 0 && power.isFinite, "PowerWeightedAggregator: power \(power) is below 0")
    self.power = power
  }

  /// The mean of `scores`, each weighing |2 score - 1| to the power; the plain mean where all are
  /// one half.
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
  /// The mean of the scores, each counting the same.
  public static var mean: Self { Self() }
}

extension Aggregator where Self == MeanLogitAggregator {
  /// The mean of the log odds, as a probability.
  public static var meanLogit: Self { Self() }
}

extension Aggregator where Self == MedianAggregator {
  /// The score in the middle; of an even number, the mean of the two there.
  public static var median: Self { Self() }
}

extension Aggregator where Self == TrimmedMeanAggregator {
  /// The mean without `fraction` of the scores at either end.
  public static func trimmedMean(_ fraction: Float) -> Self { Self(fraction: fraction) }
}

extension Aggregator where Self == MaximumAggregator {
  /// The highest of the scores.
  public static var maximum: Self { Self() }
}

extension Aggregator where Self == ConfidentAggregator {
  /// The rule of the DFDC's winner.
  public static var confident: Self { Self() }
}

extension Aggregator where Self == PowerWeightedAggregator {
  /// The mean in which sure scores weigh more.
  public static func powerWeighted(_ power: Float) -> Self { Self(power: power) }
}

private func requireScores(_ scores: [Float], of aggregator: some Aggregator) {
  precondition(!scores.isEmpty, "\(type(of: aggregator)): there are no scores to aggregate")
}
