import DeepfakeCore
import Foundation

/// Fits the calibration of logits: the scale and offset of maximum likelihood for labelled samples.
///
/// Platt, "Probabilistic outputs for support vector machines" (1999), with the Newton steps of Lin,
/// Lin and Weng (2007). The temperature is that of Guo et al., "On calibration of modern neural
/// networks" (2017).
package struct CalibrationFit: Sendable, Equatable {
  /// The parameters that are fitted.
  package enum Method: String, Sendable, CaseIterable {
    /// Scale and offset.
    case platt
    /// The scale only; the offset is 0.
    case temperature
  }

  /// A logit with its label.
  package struct Sample: Sendable, Equatable {
    /// The log odds of "fake", as the network outputs them.
    package var logit: Double
    package var label: FaceLabel
    /// The sample's weight, 0 or more. Only ratios of weights matter, except with smoothed targets.
    package var weight: Double

    /// Creates a sample.
    package init(_ logit: Double, _ label: FaceLabel, weight: Double = 1) {
      self.logit = logit
      self.label = label
      self.weight = weight
    }
  }

  /// The parameters that are fitted.
  package var method: Method
  /// Whether to smooth the targets as Platt does: (N + 1) / (N + 2) for fakes, where N is the sum
  /// of their weights, and 1 / (N + 2) for reals, where N is the sum of theirs.
  package var smoothsTargets: Bool

  /// Creates a fit.
  package init(_ method: Method = .platt, smoothsTargets: Bool = false) {
    self.method = method
    self.smoothsTargets = smoothsTargets
  }

  /// The calibration of maximum likelihood for the samples. Samples of weight 0 are ignored.
  ///
  /// - Throws: `CalibrationError` if there is no such calibration: all samples have the same label,
  ///   a logit is not finite, all logits are equal, a threshold separates the labels without error
  ///   (unless targets are smoothed), or higher logits mean real.
  package func calibration(of samples: [Sample]) throws(CalibrationError) -> LogitCalibration {
    let samples = samples.filter { $0.weight != 0 }
    try check(samples)
    var problem = Likelihood(samples, method: method, smoothsTargets: smoothsTargets)
    let solution = problem.maximum()
    guard solution.scale > 0 else { throw .inverted }
    guard let calibration = LogitCalibration(scale: solution.scale, offset: solution.offset) else {
      throw .outOfRange(scale: solution.scale, offset: solution.offset)
    }
    return calibration
  }

  /// Fits without smoothed targets if possible, and with them if a threshold separates the labels
  /// without error.
  ///
  /// - Throws: `CalibrationError`, as `calibration(of:)`.
  package static func smoothingIfNeeded(
    _ samples: [Sample], _ method: Method = .platt
  ) throws(CalibrationError) -> (calibration: LogitCalibration, isSmoothed: Bool) {
    do {
      return (try CalibrationFit(method).calibration(of: samples), false)
    } catch .separable {
      return (try CalibrationFit(method, smoothsTargets: true).calibration(of: samples), true)
    }
  }

  private func check(_ samples: [Sample]) throws(CalibrationError) {
    for (index, sample) in samples.enumerated() {
      guard sample.logit.isFinite, sample.weight.isFinite, sample.weight > 0 else {
        throw .notFinite(index: index, logit: sample.logit, weight: sample.weight)
      }
    }
    let real = samples.lazy.filter { $0.label == .real }.map(\.logit)
    let fake = samples.lazy.filter { $0.label == .fake }.map(\.logit)
    guard let lowestReal = real.min(), let highestReal = real.max() else {
      throw .oneLabel(samples.isEmpty ? nil : .fake)
    }
    guard let lowestFake = fake.min(), let highestFake = fake.max() else { throw .oneLabel(.real) }
    let isConstant = min(lowestReal, lowestFake) == max(highestReal, highestFake)
    guard !isConstant else { throw .constant }
    if smoothsTargets { return }
    // If a threshold (0 for a temperature) separates the labels, the likelihood increases with the
    // scale without limit.
    switch method {
    case .platt:
      if highestReal <= lowestFake { throw .separable }
      if highestFake <= lowestReal { throw .inverted }
    case .temperature:
      if highestReal <= 0, lowestFake >= 0 { throw .separable }
      if highestFake <= 0, lowestReal >= 0 { throw .inverted }
    }
  }
}

/// The likelihood of the samples as a function of scale and offset. The logits are standardised, so
/// that Newton's steps are well conditioned for networks of any scale.
private struct Likelihood {
  private struct Term {
    var x: Double
    var target: Double
    var weight: Double
  }

  private var terms: [Term]
  private let center: Double
  private let spread: Double
  private let hasOffset: Bool

  init(
    _ samples: [CalibrationFit.Sample], method: CalibrationFit.Method, smoothsTargets: Bool
  ) {
    let total = samples.reduce(0) { $0 + $1.weight }
    hasOffset = method == .platt
    let center =
      hasOffset ? samples.reduce(0) { $0 + $1.weight / total * $1.logit } : 0
    let variance = samples.reduce(0) {
      $0 + $1.weight / total * ($1.logit - center) * ($1.logit - center)
    }
    let spread = variance > 0 ? variance.squareRoot() : 1
    var targets = (real: 0.0, fake: 1.0)
    if smoothsTargets {
      let fakes = samples.reduce(0) { $0 + ($1.label == .fake ? $1.weight : 0) }
      targets = (1 / (total - fakes + 2), (fakes + 1) / (fakes + 2))
    }
    self.center = center
    self.spread = spread
    terms = samples.map {
      Term(
        x: ($0.logit - center) / spread, target: $0.label == .fake ? targets.fake : targets.real,
        weight: $0.weight / total)
    }
  }

  /// The scale and offset of maximum likelihood, for the original logits.
  mutating func maximum() -> (scale: Double, offset: Double) {
    var point = (a: 0.0, b: 0.0)
    var loss = self.loss(point)
    for _ in 0..<200 {
      let slope = self.slope(point)
      guard max(abs(slope.a), abs(slope.b)) > 1e-13 else { break }
      let step = slope.newtonStep(hasOffset: hasOffset)
      let descent = step.a * slope.a + step.b * slope.b
      var factor = 1.0
      var isBetter = false
      while factor > 1e-12 {
        let next = (a: point.a - factor * step.a, b: point.b - factor * step.b)
        let nextLoss = self.loss(next)
        if nextLoss <= loss - 1e-4 * factor * descent {
          isBetter = nextLoss < loss
          (point, loss) = (next, nextLoss)
          break
        }
        factor /= 2
      }
      // Within rounding errors, no better point can be found.
      if !isBetter { break }
    }
    let scale = point.a / spread
    return (scale, point.b - scale * center)
  }

  private func loss(_ point: (a: Double, b: Double)) -> Double {
    terms.reduce(0) { sum, term in
      let z = point.a * term.x + point.b
      // log(1 + exp(z)) - target * z without overflow.
      return sum + term.weight * (max(z, 0) + log1p(exp(-abs(z))) - term.target * z)
    }
  }

  /// First and second derivatives of the loss.
  private struct Slope {
    var a = 0.0
    var b = 0.0
    var aa = 0.0
    var ab = 0.0
    var bb = 0.0

    func newtonStep(hasOffset: Bool) -> (a: Double, b: Double) {
      let ridge = 1e-14
      guard hasOffset else { return (a / (aa + ridge), 0) }
      let (aa, bb) = (aa + ridge, bb + ridge)
      let determinant = aa * bb - ab * ab
      // The surface is flat: take the gradient as the step.
      guard determinant > 1e-300 else { return (a, b) }
      return ((bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant)
    }
  }

  private func slope(_ point: (a: Double, b: Double)) -> Slope {
    var slope = Slope()
    for term in terms {
      let p = sigmoid(point.a * term.x + point.b)
      let error = term.weight * (p - term.target)
      let curvature = term.weight * p * (1 - p)
      slope.a += error * term.x
      slope.aa += curvature * term.x * term.x
      guard hasOffset else { continue }
      slope.b += error
      slope.ab += curvature * term.x
      slope.bb += curvature
    }
    return slope
  }
}

/// Why logits cannot be calibrated.
package enum CalibrationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A logit or weight is not finite, or a weight is negative.
  case notFinite(index: Int, logit: Double, weight: Double)
  /// All samples have the same label; nil if there are no samples.
  case oneLabel(FaceLabel?)
  /// All logits are equal.
  case constant
  /// A threshold separates the labels without error.
  case separable
  /// Higher logits mean real.
  case inverted
  /// The fitted numbers are outside of the ranges that `LogitCalibration` accepts.
  case outOfRange(scale: Double, offset: Double)

  /// The message to show to users.
  package var description: String {
    switch self {
    case .notFinite(let index, let logit, let weight):
      "sample \(index + 1) has the logit \(logit) and the weight \(weight); both must be finite"
        + " numbers, and the weight positive. The network's weights may be damaged."
    case .oneLabel(nil): "there are no samples for calibration."
    case .oneLabel(let label?):
      "all samples for calibration are \(label.word.lowercased()); real and fake ones are needed."
    case .constant: "all logits are the same; they cannot be calibrated."
    case .separable:
      "the logits separate real from fake without any error on these samples, so the best scale"
        + " is infinite. Use more samples, or smooth the targets (--smooth)."
    case .inverted:
      "higher logits mean real on these samples: the network does not work on them, or its"
        + " classes are swapped."
    case .outOfRange(let scale, let offset):
      "the fitted calibration (scale \(scale), offset \(offset)) is outside the accepted range."
    }
  }
}
