import Foundation

/// A calibration that maps a network's logit to a reliable probability: the sigmoid of `scale`
/// times the logit plus `offset` (Platt 1999). With an offset of 0, 1 / `scale` is the temperature
/// of Guo et al. (2017).
///
/// ```swift
/// let calibration = LogitCalibration(scale: 0.5, offset: -0.2) ?? .identity
/// let probability = calibration.probability(logit: 2)  // the sigmoid of 0.8: 0.69
/// let lower = calibration.probability(of: 0.9)  // the same for a probability: 0.71
/// ```
public struct LogitCalibration: Sendable, Equatable, Codable {
  /// The factor of the logit, above 0.
  public let scale: Double
  /// The number added to the scaled logit.
  public let offset: Double

  /// The valid range of `scale`.
  public static let scales: ClosedRange<Double> = 1e-4...1e4
  /// The valid range of `offset`.
  public static let offsets: ClosedRange<Double> = -1e3...1e3

  /// Creates a calibration; nil if a number is not finite or outside `scales` or `offsets`.
  public init?(scale: Double, offset: Double = 0) {
    guard Self.scales.contains(scale), Self.offsets.contains(offset) else { return nil }
    self.scale = scale
    self.offset = offset
  }

  /// The calibration that does not change logits.
  public static let identity = LogitCalibration(unchecked: 1, 0)

  private init(unchecked scale: Double, _ offset: Double) {
    self.scale = scale
    self.offset = offset
  }

  /// The calibrated logit.
  public func callAsFunction(_ logit: Double) -> Double { scale * logit + offset }

  /// The calibrated probability of a logit.
  public func probability(logit: Float) -> Float {
    Float(sigmoid(self(Double(logit))))
  }

  /// The calibrated form of a probability. Its log odds are used as the logit; 0 and 1, whose log
  /// odds are infinite, are first moved by `margin`.
  public func probability(of probability: Float) -> Float {
    Float(sigmoid(self(Self.logOdds(Double(probability)))))
  }

  /// The minimum distance of probabilities from 0 and 1 when their log odds are computed.
  public static let margin = 1e-6

  /// The log odds of a probability, which is first limited to `margin`...1 - `margin`.
  public static func logOdds(_ probability: Double) -> Double {
    let held = min(max(probability, margin), 1 - margin)
    return log(held) - log1p(-held)
  }
}
