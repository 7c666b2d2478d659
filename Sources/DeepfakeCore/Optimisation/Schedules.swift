import Foundation

package struct ConstantRate: LearningRateSchedule {
  package var rate: Float

  package init(_ rate: Float) {
    self.rate = rate
  }

  package func rate(at time: TrainingTime) -> Float { rate }
}

/// A rate that is multiplied by a factor after some epochs (PyTorch's StepLR and MultiStepLR).
package struct StepDecay: LearningRateSchedule {
  /// The epochs after which the rate falls.
  package enum Times: Sendable, Equatable {
    /// After every n-th epoch.
    case every(Int)
    /// After each of these epoch counts.
    case after([Int])
  }

  /// The rate at the start.
  package var start: Float
  /// The epochs after which the rate falls.
  package var times: Times
  /// The factor of each fall.
  package var factor: Float

  /// Creates a schedule; by default the rate falls to a tenth each time.
  package init(_ start: Float, _ times: Times, factor: Float = 0.1) {
    if case .every(let epochs) = times {
      precondition(epochs > 0, "StepDecay: every \(epochs) epochs")
    }
    self.start = start
    self.times = times
    self.factor = factor
  }

  package func rate(at time: TrainingTime) -> Float {
    let falls =
      switch times {
      case .every(let epochs): time.epoch / epochs
      case .after(let epochs): epochs.count { $0 <= time.epoch }
      }
    return Float(Double(start) * pow(Double(factor), Double(falls)))
  }
}

/// A rate that falls to 0 as a power of the remaining steps (PyTorch's PolynomialLR).
package struct PolynomialDecay: LearningRateSchedule {
  /// The rate at the start.
  package var start: Float
  /// The number of steps until the rate is 0.
  package var steps: Int
  /// The exponent; 1: the rate falls linearly.
  package var power: Float

  /// Creates a schedule; by default the rate falls linearly.
  package init(_ start: Float, steps: Int, power: Float = 1) {
    precondition(steps > 0, "PolynomialDecay: \(steps) steps")
    self.start = start
    self.steps = steps
    self.power = power
  }

  package func rate(at time: TrainingTime) -> Float {
    let left = 1 - Double(min(time.step, steps)) / Double(steps)
    return Float(Double(start) * pow(left, Double(power)))
  }
}

/// A rate that rises linearly and then falls along half a cosine, step by step (Loshchilov and
/// Hutter 2017; PyTorch's LinearLR followed by CosineAnnealingLR).
public struct CosineDecay: LearningRateSchedule {
  /// The highest rate.
  public var peak: Float
  /// The total number of steps. After them the rate stays at `minimum`.
  public var steps: Int
  /// The number of steps at the start during which the rate rises.
  public var warmUpSteps: Int
  /// The rate of the first step as a fraction of `peak`, if there is a warm-up.
  public var warmUpStart: Float
  /// The rate at the end.
  public var minimum: Float

  /// Creates a schedule; by default half a cosine down to 0, without a warm-up.
  public init(
    _ peak: Float, steps: Int, warmUpSteps: Int = 0, warmUpStart: Float = 0.01,
    minimum: Float = 0
  ) {
    precondition(
      warmUpSteps >= 0 && steps > warmUpSteps,
      "CosineDecay: \(warmUpSteps) of \(steps) steps to warm up")
    self.peak = peak
    self.steps = steps
    self.warmUpSteps = warmUpSteps
    self.warmUpStart = warmUpStart
    self.minimum = minimum
  }

  /// The rate, which depends on the step.
  public func rate(at time: TrainingTime) -> Float {
    let (peak, minimum) = (Double(peak), Double(minimum))
    if time.step < warmUpSteps {
      let first = Double(warmUpStart)
      return Float(peak * (first + (1 - first) * Double(time.step) / Double(warmUpSteps)))
    }
    let done = Double(min(time.step, steps) - warmUpSteps) / Double(steps - warmUpSteps)
    return Float(minimum + (peak - minimum) * (1 + cos(.pi * done)) / 2)
  }
}
