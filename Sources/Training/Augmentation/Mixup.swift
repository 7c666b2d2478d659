import DeepfakeCore
import Foundation

/// Crops mixed with others, and their labels likewise (Zhang et al., "mixup: Beyond Empirical Risk
/// Minimization", 2018).
package struct Mixup: Sendable, Equatable {
  static let name = "mixup"

  /// What a crop is mixed with.
  package enum Partner: String, Sendable, CaseIterable {
    /// Another crop of the batch.
    case batch
    /// The real crop that a fake was made from: the one of the fake's `original` with the same file
    /// name, or else the nearest time; of a fake made in training, the face it is made of. Fakes
    /// without one, and real crops, stay as they are. The two must be cut from the same place of
    /// their frames.
    case original
  }

  /// How often a crop, or a batch, is mixed, from 0 to 1.
  package var probability: Float
  /// The parameter of the Beta distribution that shares are drawn from; small is mostly one or the
  /// other.
  package var alpha: Float
  /// What with.
  package var partner: Partner

  /// Every batch mixed within itself, with alpha 0.2, unless told otherwise.
  package init(probability: Float = 1, alpha: Float = 0.2, partner: Partner = .batch) {
    self.probability = probability
    self.alpha = alpha
    self.partner = partner
  }

  init(_ description: AugmentationDescription) throws(AugmentationError) {
    self.init()
    var fields = AugmentationFields(description)
    try describe(&fields)
    try fields.end()
  }

  private mutating func describe(_ fields: inout AugmentationFields) throws(AugmentationError) {
    try fields.number("probability", &probability, in: 0...1)
    try fields.number("alpha", &alpha, in: 0.01...100)
    try fields.choice("partner", &partner)
  }

  var description: AugmentationDescription {
    var result = AugmentationDescription(Self.name)
    var (copy, fields) = (self, AugmentationFields(result))
    // Nothing is given, so nothing can be wrong.
    try? copy.describe(&fields)
    result.parameters = fields.written
    return result
  }

  /// The share that the partner gets, 0 where nothing is mixed.
  func share(using generator: inout SeededGenerator) -> Float {
    let isMixed = generator.uniform() < probability
    let share = generator.beta(alpha)
    return isMixed ? share : 0
  }
}

extension SeededGenerator {
  /// Beta distributed with both parameters `alpha`.
  mutating func beta(_ alpha: Float) -> Float {
    let (a, b) = (logGamma(alpha), logGamma(alpha))
    // exp(a) / (exp(a) + exp(b)), however small both are.
    return 1 / (1 + exp(min(b - a, 80)))
  }

  /// The logarithm of a Gamma distributed number of scale 1 (Marsaglia and Tsang 2000).
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
