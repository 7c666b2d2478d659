import DeepfakeCore

extension ScheduleOptions {
  /// The schedule for a run of `epochs` of `stepsPerEpoch` steps that begins at `start`.
  public func schedule(
    from start: Float, epochs: Int, stepsPerEpoch: Int
  ) -> any LearningRateSchedule {
    let steps = max(1, epochs * stepsPerEpoch)
    let warmUpSteps = Int((Double(warmUp) * Double(stepsPerEpoch)).rounded())
    var schedule: any LearningRateSchedule
    switch kind {
    case .plateau:
      schedule = ReduceOnPlateau(
        start, factor: Double(factor), patience: patience, threshold: .relative(Double(threshold)),
        minimumRate: Double(minRate))
    case .cosine:
      // It has a warm-up of its own, which shortens the cosine.
      return CosineDecay(
        start, steps: max(steps, warmUpSteps + 1), warmUpSteps: warmUpSteps, minimum: minRate)
    case .step: schedule = StepDecay(start, .every(every), factor: factor)
    case .poly: schedule = PolynomialDecay(start, steps: steps, power: power)
    case .constant: schedule = ConstantRate(start)
    }
    if warmUpSteps > 0 { schedule = WarmedUp(schedule: schedule, steps: warmUpSteps) }
    return schedule
  }

  /// Whether the rate depends on how many epochs there are in all.
  var dependsOnLength: Bool { kind == .cosine || kind == .poly }
}

/// A schedule whose rates are lower at first: from a hundredth, along a straight line.
private struct WarmedUp: LearningRateSchedule {
  var schedule: any LearningRateSchedule
  let steps: Int

  func rate(at time: TrainingTime) -> Float {
    let rate = schedule.rate(at: time)
    guard time.step < steps else { return rate }
    return Float(Double(rate) * (0.01 + 0.99 * Double(time.step) / Double(steps)))
  }

  mutating func observe(_ metric: Double) { schedule.observe(metric) }

  var state: [String: Double] { schedule.state }

  mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError) {
    try schedule.restore(state, file: file)
  }
}
