/// How the learning rate changes as training goes on.
///
/// A schedule is a function of the time, or it watches how validation goes, or both.
///
/// ```swift
/// let schedule: any LearningRateSchedule = CosineDecay(1e-3, steps: 1000, warmUpSteps: 100)
/// for step in 0..<1000 {
///   optimizer.learningRate = schedule.rate(at: TrainingTime(step: step))
/// }
/// ```
public protocol LearningRateSchedule: Sendable {
  func rate(at time: TrainingTime) -> Float

  /// Hears the validation metric at the end of an epoch.
  mutating func observe(_ metric: Double)

  /// What is remembered, by names; finite numbers, for a checkpoint.
  var state: [String: Double] { get }

  /// Takes on the state that a file holds.
  ///
  /// - Throws: `OptimizerStateError` when it is not this kind's; nothing has changed then.
  mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError)
}

extension LearningRateSchedule {
  /// Nothing, unless a schedule watches validation.
  public mutating func observe(_ metric: Double) {}

  /// Nothing, unless a schedule watches validation.
  public var state: [String: Double] { [:] }

  /// There is nothing to take on.
  public mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError) {
    if let name = state.keys.min() { throw .unexpected(file: file, name: name) }
  }
}

/// How far training has come.
public struct TrainingTime: Sendable, Equatable {
  /// Optimiser steps done.
  public var step: Int
  /// Epochs done.
  public var epoch: Int

  /// A time; the start unless told otherwise.
  public init(step: Int = 0, epoch: Int = 0) {
    self.step = step
    self.epoch = epoch
  }
}
