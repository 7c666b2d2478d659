import Foundation

/// The common part of Adam and AdamW: running means of the gradient and of its square, and the step
/// that uses them.
struct AdamMoments: Sendable {
  /// The kind of weight decay.
  enum Decay: Sendable {
    /// Added to the gradient, so that it enters the moments: Adam.
    case throughGradient
    /// Applied to the value directly: AdamW.
    case decoupled
  }

  let decay: Decay
  var betas: AdamBetas
  var epsilon: Float
  var groups: [ParameterGroup]
  var slots: OptimizerSlots

  init(
    name: String, decay: Decay, betas: AdamBetas, epsilon: Float, groups: [ParameterGroup]
  ) {
    self.decay = decay
    self.betas = betas
    self.epsilon = epsilon
    self.groups = groups
    slots = OptimizerSlots(name: name, kinds: ["m", "v"])
  }

  mutating func step(_ parameters: [Parameter], _ gradients: Gradients, rate: Float) {
    for parameter in parameters {
      guard let gradient = gradients[parameter] else { continue }
      let group = groups.settings(for: parameter)
      var slot = slots.take(for: parameter)
      slot.steps += 1
      let rate = Double(rate * group.learningRateScale)
      let corrections = betas.corrections(after: slot.steps)
      let stepSize = Lanes(repeating: Float(rate / corrections.mean))
      let rootCorrection = Lanes(repeating: Float(corrections.square.squareRoot()))
      let epsilon = Lanes(repeating: epsilon)
      let newMean = Lanes(repeating: Float(1 - Double(betas.mean)))
      let oldSquare = Lanes(repeating: betas.square)
      let newSquare = Lanes(repeating: Float(1 - Double(betas.square)))
      let (inGradient, kept): (Float, Double) =
        switch decay {
        case .throughGradient: (group.weightDecay, 1)
        case .decoupled: (0, 1 - rate * Double(group.weightDecay))
        }
      let gradientDecay = Lanes(repeating: inGradient)
      let keptValue = Lanes(repeating: Float(kept))
      updateInPlace(parameter, gradient, &slot) { value, gradient, mean, square in
        let gradient = gradient + gradientDecay * value
        mean += (gradient - mean) * newMean
        square = square * oldSquare + newSquare * gradient * gradient
        let divisor = square.squareRoot() / rootCorrection + epsilon
        value = value * keptValue - stepSize * (mean / divisor)
      }
      slots.put(slot, for: parameter)
    }
  }
}

/// The decay rates of Adam's running means, each in 0..<1. The closer to 1, the longer the memory.
public struct AdamBetas: Sendable, Equatable {
  /// For the mean of the gradient (beta1).
  public var mean: Float
  /// For the mean of the squared gradient (beta2).
  public var square: Float

  /// Creates decay rates; the defaults are the authors' values.
  public init(mean: Float = 0.9, square: Float = 0.999) {
    precondition(
      (0..<1).contains(mean) && (0..<1).contains(square),
      "Adam: betas \(mean) and \(square) must be in 0..<1")
    self.mean = mean
    self.square = square
  }

  /// The divisors that correct the means after `steps` steps. The means start at 0 and are too
  /// small without the correction.
  func corrections(after steps: Int) -> (mean: Double, square: Double) {
    (1 - pow(Double(mean), Double(steps)), 1 - pow(Double(square), Double(steps)))
  }
}
