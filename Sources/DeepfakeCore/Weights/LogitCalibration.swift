import Foundation

/// What makes a network's logit honest: the probability is the sigmoid of `scale` times the logit
/// plus `offset` (Platt 1999). With an offset of 0, 1 / `scale` is the temperature of Guo et al.
/// (2017).
///
/// ```swift
/// let calibration = LogitCalibration(scale: 0.5, offset: -0.2) ?? .identity
/// let probability = calibration.probability(logit: 2)  // the sigmoid of 0.8: 0.69
/// let lower = calibration.probability(of: 0.9)  // the same for a probability: 0.71
/// ```
public struct LogitCalibration: Sendable, Equatable, Codable {
  /// What the logit is multiplied with, above 0.
  public let scale: Double
  /// What is then added.
  public let offset: Double

  /// The scales that are accepted.
  public static let scales: ClosedRange<Double> = 1e-4...1e4
  /// The offsets that are accepted.
  public static let offsets: ClosedRange<Double> = -1e3...1e3

  /// A calibration; nil where a number is not finite or beyond `scales` and `offsets`.
  public init?(scale: Double, offset: Double = 0) {
    guard Self.scales.contains(scale), Self.offsets.contains(offset) else { return nil }
    self.scale = scale
    self.offset = offset
  }

  /// The calibration that changes nothing.
  public static let identity = LogitCalibration(unchecked: 1, 0)

  private init(unchecked scale: Double, _ offset: Double) {
    self.scale = scale
    self.offset = offset
  }

  /// The calibrated logit.
  public func callAsFunction(_ logit: Double) -> Double { scale * logit + offset }

  /// The probability that a logit stands for.
  public func probability(logit: Float) -> Float {
    Float(sigmoid(self(Double(logit))))
  }

  /// The calibrated form of a probability, by way of its log odds; 0 and 1, whose log odds are
  /// infinite, are first moved by `margin`.
  public func probability(of probability: Float) -> Float {
    Float(sigmoid(self(Self.logOdds(Double(probability)))))
  }

  /// How far probabilities are kept from 0 and 1 before their log odds are taken.
  public static let margin = 1e-6

  /// The log odds of a probability, which is held `margin` from 0 and 1.
  public static func logOdds(_ probability: Double) -> Double {
    let held = min(max(probability, margin), 1 - margin)
    return log(held) - log1p(-held)
  }
}
