import DeepfakeCore
import Settings

/// The schedule of the learning rate during training.
public struct ScheduleOptions: Sendable, Equatable {
  /// The available schedules with their settings.
  public enum Kind: Sendable, Equatable {
    /// Multiplies the rate by `factor` when the validation loss has not fallen for more than
    /// `patience` epochs, down to `minRate`. A fall must be at least the fraction `threshold` to
    /// count.
    case plateau(
      factor: Float = 0.5, patience: Int = 2, threshold: Float = 1e-4, minRate: Float = 0)
    /// Falls to `minRate` along half a cosine.
    case cosine(minRate: Float = 0)
    /// Multiplies the rate by `factor` every `every` epochs.
    case step(factor: Float = 0.5, every: Int = 5)
    /// Falls to 0 as (1 - t)^`power`, where t is the completed fraction of training.
    case poly(power: Float = 1)
    /// Keeps the rate constant.
    case constant
  }

  /// The schedule and its settings.
  public var kind: Kind = .plateau()
  /// Number of epochs at the beginning in which the rate rises from nearly 0 to its initial value.
  /// It may be a fraction.
  public var warmUp: Float = 0

  /// Halves the rate after more than two epochs without a lower validation loss.
  public init() {}

  /// Makes the schedule of a run of `epochs` epochs with `stepsPerEpoch` steps each. `start` is the
  /// initial rate.
  public func schedule(
    from start: Float, epochs: Int, stepsPerEpoch: Int
  ) -> any LearningRateSchedule {
    let steps = max(1, epochs * stepsPerEpoch)
    let warmUpSteps = Int((Double(warmUp) * Double(stepsPerEpoch)).rounded())
    var schedule: any LearningRateSchedule
    switch kind {
    case .plateau(let factor, let patience, let threshold, let minRate):
      schedule = ReduceOnPlateau(
        start, factor: Double(factor), patience: patience, threshold: .relative(Double(threshold)),
        minimumRate: Double(minRate))
    case .cosine(let minRate):
      // `CosineDecay` has its own warm-up, which shortens the cosine.
      return CosineDecay(
        start, steps: max(steps, warmUpSteps + 1), warmUpSteps: warmUpSteps, minimum: minRate)
    case .step(let factor, let every): schedule = StepDecay(start, .every(every), factor: factor)
    case .poly(let power): schedule = PolynomialDecay(start, steps: steps, power: power)
    case .constant: schedule = ConstantRate(start)
    }
    if warmUpSteps > 0 { schedule = WarmedUp(schedule: schedule, steps: warmUpSteps) }
    return schedule
  }

  /// Whether the rate depends on the total number of epochs.
  var dependsOnLength: Bool {
    switch kind {
    case .cosine, .poly: true
    case .plateau, .step, .constant: false
    }
  }
}

extension ScheduleOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.kind(
      "kind", &kind, "How the learning rate decreases.",
      more: """
        `plateau`: multiplied by `factor` when the validation part's log loss has not decreased \
        for more than `patience` epochs; `cosine`: down to `minRate` along half a cosine; `step`: \
        multiplied by `factor` after every `every` epochs; `poly`: down to 0 along (1 - t) to the \
        power of `power`; `constant`: always the same
        """)
    try kind.describe(&fields)
    try fields.value(
      "warmUp", &warmUp, .number(in: 0...1000),
      "The number of epochs, or the fraction of one, in which the rate rises from a hundredth.")
  }
}

extension ScheduleOptions.Kind: DescribedKind {
  package static var kinds: [Self] { [.plateau(), .cosine(), .step(), .poly(), .constant] }

  package var name: String {
    switch self {
    case .plateau: "plateau"
    case .cosine: "cosine"
    case .step: "step"
    case .poly: "poly"
    case .constant: "constant"
    }
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    switch self {
    case .plateau(var factor, var patience, var threshold, var minRate):
      try Self.describe(factor: &factor, &fields)
      try fields.value(
        "patience", &patience, .whole(in: 0...1000),
        "The number of epochs without a lower validation loss to wait for.")
      try fields.value(
        "threshold", &threshold, .number(in: 0...1),
        "The fraction by which a loss must decrease to count as lower.")
      try Self.describe(minRate: &minRate, &fields)
      self = .plateau(
        factor: factor, patience: patience, threshold: threshold, minRate: minRate)
    case .cosine(var minRate):
      try Self.describe(minRate: &minRate, &fields)
      self = .cosine(minRate: minRate)
    case .step(var factor, var every):
      try Self.describe(factor: &factor, &fields)
      try fields.value(
        "every", &every, .whole(in: 1...100_000), "The number of epochs between two decreases.")
      self = .step(factor: factor, every: every)
    case .poly(var power):
      try fields.value("power", &power, .number(in: 0.01...100), "The power of the polynomial.")
      self = .poly(power: power)
    case .constant: break
    }
  }

  private static func describe(
    factor: inout Float, _ fields: inout SettingFields
  ) throws(SettingError) {
    try fields.value(
      "factor", &factor, .number(in: 1e-4...0.9999),
      "The factor by which the learning rate is multiplied.")
  }

  private static func describe(
    minRate: inout Float, _ fields: inout SettingFields
  ) throws(SettingError) {
    try fields.value("minRate", &minRate, .number(in: 0...10), "The lowest learning rate.")
  }
}

/// Adds a linear warm-up to a schedule, from a hundredth of its rate.
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
