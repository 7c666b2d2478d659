import DeepfakeCore
import Foundation
import Settings

/// Mixes crops with others, and their labels in the same proportion (Zhang et al., "mixup: Beyond
/// Empirical Risk Minimization", 2018).
package struct Mixup: Described, Sendable, Equatable {
  static let name = "mixup"
  static let help = "Mixes crops and their labels; at most once in a list."

  /// The crop that a crop is mixed with.
  package enum Partner: String, Sendable, CaseIterable {
    /// Another crop of the same batch.
    case batch
    /// The real crop that a fake was made from: of the fake's `original`, the crop with the same
    /// file name, or else the nearest time. For a fake made in training, it is the real face that
    /// the fake is made of. Fakes without such a crop, and real crops, are not mixed. Both crops
    /// must be cut from the same place of their frames.
    case original
  }

  /// The probability that a crop (`original`) or a batch (`batch`) is mixed, 0 to 1.
  package var probability: Float
  /// Both parameters of the Beta distribution of the share. With a small value, most shares are
  /// near 0 or 1.
  package var alpha: Float
  /// The crop to mix with.
  package var partner: Partner

  /// By default, every batch is mixed within itself, with an alpha of 0.2.
  package init(probability: Float = 1, alpha: Float = 0.2, partner: Partner = .batch) {
    self.probability = probability
    self.alpha = alpha
    self.partner = partner
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "probability", &probability, .number(in: 0...1),
      "The probability that a crop or a batch is mixed.")
    try fields.value(
      "alpha", &alpha, .number(in: 0.01...100),
      "Both parameters of the Beta distribution of the share.")
    try fields.value(
      "partner", &partner, .choice,
      "Crops are mixed with others of the batch, or fakes with the real crop they were made from.")
  }

  /// Draws the share of the partner; 0 if nothing is mixed.
  func share(using generator: inout SeededGenerator) -> Float {
    let isMixed = generator.uniform() < probability
    let share = generator.beta(alpha)
    return isMixed ? share : 0
  }
}

extension SeededGenerator {
  /// A number from the Beta distribution with both parameters `alpha`.
  mutating func beta(_ alpha: Float) -> Float {
    let (a, b) = (logGamma(alpha), logGamma(alpha))
    // exp(a) / (exp(a) + exp(b)), also if both underflow.
    return 1 / (1 + exp(min(b - a, 80)))
  }

  /// The logarithm of a number from the Gamma distribution of scale 1 (Marsaglia and Tsang 2000).
  private mutating func logGamma(_ shape: Float) -> Float {
    if shape < 1 {
      // Gamma(shape + 1) times a uniform number to the power of 1 / shape.
      return logGamma(shape + 1) + log(max(1 - uniform(), .leastNormalMagnitude)) / shape
    }
    let d = shape - 1 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = pow(1 + c * x, 3)
      guard v > 0 else { continue }
      let u = 1 - uniform()
      if log(u) < 0.5 * x * x + d - d * v + d * log(v) { return log(d * v) }
    }
  }
}
