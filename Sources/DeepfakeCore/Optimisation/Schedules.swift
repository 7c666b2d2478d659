import Foundation

/// The same rate always.
package struct ConstantRate: LearningRateSchedule {
  package var rate: Float

  package init(_ rate: Float) {
    self.rate = rate
  }

  package func rate(at time: TrainingTime) -> Float { rate }
}

/// A rate that is multiplied by a factor after some epochs (PyTorch's StepLR and MultiStepLR).
package struct StepDecay: LearningRateSchedule {
  /// When the rate falls.
  package enum Times: Sendable, Equatable {
    /// After every so many epochs.
    case every(Int)
    /// After each of these numbers of epochs.
    case after([Int])
  }

  /// The rate at the start.
  package var start: Float
  /// When it falls.
  package var times: Times
  /// What it is multiplied by.
  package var factor: Float

  /// A rate that falls to a tenth, unless told otherwise.
  package init(_ start: Float, _ times: Times, factor: Float = 0.1) {
    if case .every(let epochs) = times {
      precondition(epochs > 0, "StepDecay: every \(epochs) epochs")
    }
    self.start = start
    self.times = times
    self.factor = factor
  }

  /// By epochs.
  package func rate(at time: TrainingTime) -> Float {
    let falls =
      switch times {
      case .every(let epochs): time.epoch / epochs
      case .after(let epochs): epochs.count { $0 <= time.epoch }
      }
    return Float(Double(start) * pow(Double(factor), Double(falls)))
  }
}

/// A rate that falls to 0 as a power of the time left, by steps (PyTorch's PolynomialLR).
package struct PolynomialDecay: LearningRateSchedule {
  /// The rate at the start.
  package var start: Float
  /// Steps until it is 0.
  package var steps: Int
  /// The power; 1: a straight line.
  package var power: Float

  /// A straight line unless told otherwise.
  package init(_ start: Float, steps: Int, power: Float = 1) {
    precondition(steps > 0, "PolynomialDecay: \(steps) steps")
    self.start = start
    self.steps = steps
    self.power = power
  }

  /// By steps.
  package func rate(at time: TrainingTime) -> Float {
    let left = 1 - Double(min(time.step, steps)) / Double(steps)
    return Float(Double(start) * pow(left, Double(power)))
  }
}

/// A rate that rises in a straight line and then falls along half a cosine, by steps (Loshchilov
/// and Hutter 2017; PyTorch's LinearLR and CosineAnnealingLR one after the other).
public struct CosineDecay: LearningRateSchedule {
  /// The highest rate.
  public var peak: Float
  /// Steps in all; afterwards the rate stays what it is at the end.
  public var steps: Int
  /// Those of them during which the rate rises.
  public var warmUpSteps: Int
  /// The first step's rate as a part of the highest, where it rises.
  public var warmUpStart: Float
  /// The rate at the end.
  public var minimum: Float

  /// Half a cosine down to 0, unless told otherwise.
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

  /// By steps.
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
