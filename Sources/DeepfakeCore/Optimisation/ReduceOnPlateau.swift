/// A learning rate that is reduced if validation does not improve for some epochs, with the same
/// decisions as PyTorch's ReduceLROnPlateau. The silver recipe halves the rate with a patience of 2
/// epochs: the third epoch without progress reduces it.
public struct ReduceOnPlateau: LearningRateSchedule {
  /// The direction in which a metric improves.
  public enum Goal: String, Sendable {
    /// Smaller is better, as for losses.
    case smallest
    /// Larger is better, as for accuracies.
    case largest
  }

  /// The amount by which a metric must be better than the best so far to count as progress.
  public enum Threshold: Sendable, Equatable {
    /// A fraction of the best metric.
    case relative(Double)
    /// A fixed amount.
    case absolute(Double)
  }

  /// The direction in which the metric improves.
  public var goal: Goal
  /// The factor by which the rate is reduced.
  public var factor: Double
  /// The number of epochs without progress that do not reduce the rate; the next one does.
  public var patience: Int
  /// The amount of improvement that counts as progress.
  public var threshold: Threshold
  /// The number of epochs after a reduction during which epochs without progress do not count.
  public var cooldown: Int
  /// The minimum rate.
  public var minimumRate: Double
  /// The smallest useful reduction: the rate is not reduced by this amount or less.
  public var minimumChange: Double

  private var rate: Double
  private var best: Double?
  private var badEpochs = 0
  private var cooldownLeft = 0

  /// Creates a schedule that starts at `rate`; the other defaults are PyTorch's.
  public init(
    _ rate: Float, goal: Goal = .smallest, factor: Double = 0.1, patience: Int = 10,
    threshold: Threshold = .relative(1e-4), cooldown: Int = 0, minimumRate: Double = 0,
    minimumChange: Double = 1e-8
  ) {
    precondition(
      factor > 0 && factor < 1 && patience >= 0 && cooldown >= 0,
      "ReduceOnPlateau: factor \(factor), patience \(patience), cooldown \(cooldown)")
    self.rate = Double(rate)
    self.goal = goal
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.cooldown = cooldown
    self.minimumRate = minimumRate
    self.minimumChange = minimumChange
  }

  /// The current rate; it changes only in `observe`.
  public func rate(at time: TrainingTime) -> Float { Float(rate) }

  /// Counts an epoch with this metric. NaN counts as no progress.
  public mutating func observe(_ metric: Double) {
    if isBetter(metric) {
      best = metric
      badEpochs = 0
    } else {
      badEpochs += 1
    }
    if cooldownLeft > 0 {
      cooldownLeft -= 1
      badEpochs = 0
    }
    guard badEpochs > patience else { return }
    let reduced = max(rate * factor, minimumRate)
    if rate - reduced > minimumChange { rate = reduced }
    cooldownLeft = cooldown
    badEpochs = 0
  }

  private func isBetter(_ metric: Double) -> Bool {
    guard let best else { return metric.isFinite }
    return switch (goal, threshold) {
    case (.smallest, .relative(let part)): metric < best * (1 - part)
    case (.smallest, .absolute(let amount)): metric < best - amount
    case (.largest, .relative(let part)): metric > best * (1 + part)
    case (.largest, .absolute(let amount)): metric > best + amount
    }
  }

  /// `rate`, `bad-epochs`, `cooldown-left` and, after the first progress, `best`.
  public var state: [String: Double] {
    var state = [
      "rate": rate, "bad-epochs": Double(badEpochs), "cooldown-left": Double(cooldownLeft),
    ]
    state["best"] = best
    return state
  }

  /// Restores the state from a file.
  public mutating func restore(
    _ state: [String: Double], file: String
  ) throws(OptimizerStateError) {
    func number(_ name: String) throws(OptimizerStateError) -> Double {
      guard let value = state[name] else { throw .missing(file: file, name: name) }
      guard value.isFinite, value >= 0 else {
        throw .invalid(file: file, name: name, reason: "is \(value)")
      }
      return value
    }
    func count(_ name: String) throws(OptimizerStateError) -> Int {
      let value = try number(name)
      guard let count = Int(exactly: value) else {
        throw .invalid(file: file, name: name, reason: "is \(value), not a count")
      }
      return count
    }
    if let best = state["best"], !best.isFinite {
      throw .invalid(file: file, name: "best", reason: "is \(best)")
    }
    let known: Set = ["rate", "bad-epochs", "cooldown-left", "best"]
    if let name = Set(state.keys).subtracting(known).min() {
      throw .unexpected(file: file, name: name)
    }
    let (rate, badEpochs) = (try number("rate"), try count("bad-epochs"))
    cooldownLeft = try count("cooldown-left")
    (self.rate, self.badEpochs, best) = (rate, badEpochs, state["best"])
  }
}
