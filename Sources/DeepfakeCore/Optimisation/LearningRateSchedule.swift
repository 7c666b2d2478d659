/// The change of the learning rate during training.
///
/// A schedule depends on the time, on the validation results, or on both.
///
/// ```swift
/// let schedule: any LearningRateSchedule = CosineDecay(1e-3, steps: 1000, warmUpSteps: 100)
/// for step in 0..<1000 {
///   optimizer.learningRate = schedule.rate(at: TrainingTime(step: step))
/// }
/// ```
public protocol LearningRateSchedule: Sendable {
  func rate(at time: TrainingTime) -> Float

  /// Receives the validation metric at the end of an epoch.
  mutating func observe(_ metric: Double)

  /// The state to save in a checkpoint: finite numbers by name.
  var state: [String: Double] { get }

  /// Restores the state from a file.
  ///
  /// - Throws: `OptimizerStateError` if the state does not belong to this kind of schedule. The
  ///   schedule is unchanged then.
  mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError)
}

extension LearningRateSchedule {
  /// Does nothing, for schedules that do not use validation.
  public mutating func observe(_ metric: Double) {}

  /// Empty, for schedules that do not use validation.
  public var state: [String: Double] { [:] }

  /// Checks that the state is empty, for schedules that do not use validation.
  public mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError) {
    if let name = state.keys.min() { throw .unexpected(file: file, name: name) }
  }
}

/// The progress of a training.
public struct TrainingTime: Sendable, Equatable {
  /// The number of finished optimiser steps.
  public var step: Int
  /// The number of finished epochs.
  public var epoch: Int

  /// Creates a time; by default the start of training.
  public init(step: Int = 0, epoch: Int = 0) {
    self.step = step
    self.epoch = epoch
  }
}
