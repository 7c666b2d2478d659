import Foundation

/// What Adam and AdamW share: running means of the gradient and of its square, and the step that
/// follows from them.
struct AdamMoments: Sendable {
  /// How the parameters decay.
  enum Decay: Sendable {
    /// Into the gradient, and so into the moments: Adam.
    case throughGradient
    /// The value directly: AdamW.
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

/// How slowly Adam's running means forget, each in 0..<1.
public struct AdamBetas: Sendable, Equatable {
  /// Of the gradient.
  public var mean: Float
  /// Of its square.
  public var square: Float

  /// The authors' values unless told otherwise.
  public init(mean: Float = 0.9, square: Float = 0.999) {
    precondition(
      (0..<1).contains(mean) && (0..<1).contains(square),
      "Adam: betas \(mean) and \(square) must be in 0..<1")
    self.mean = mean
    self.square = square
  }

  /// What the means, which begin at 0, must be divided by after some steps.
  func corrections(after steps: Int) -> (mean: Double, square: Double) {
    (1 - pow(Double(mean), Double(steps)), 1 - pow(Double(square), Double(steps)))
  }
}
