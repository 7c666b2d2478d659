/// A rate that is reduced when validation has not become better for some epochs, decision by
/// decision as PyTorch's ReduceLROnPlateau. The silver recipe halves it after 2 epochs without
/// progress: it falls with the third.
public struct ReduceOnPlateau: LearningRateSchedule {
  /// Which metrics are better.
  public enum Goal: String, Sendable {
    /// Losses.
    case smallest
    /// Accuracies.
    case largest
  }

  /// How much better a metric must be than the best so far to count as progress.
  public enum Threshold: Sendable, Equatable {
    /// By this part of the best.
    case relative(Double)
    /// By this much.
    case absolute(Double)
  }

  /// Which metrics are better.
  public var goal: Goal
  /// What the rate is multiplied by.
  public var factor: Double
  /// Epochs without progress that are borne; the rate falls with the next.
  public var patience: Int
  /// What counts as progress.
  public var threshold: Threshold
  /// Epochs after a fall in which nothing is counted.
  public var cooldown: Int
  /// The least rate.
  public var minimumRate: Double
  /// A fall by this or less is left out.
  public var minimumChange: Double

  private var rate: Double
  private var best: Double?
  private var badEpochs = 0
  private var cooldownLeft = 0

  /// A schedule that starts at `rate`; PyTorch's settings unless told otherwise.
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

  /// The rate since the last epoch.
  public func rate(at time: TrainingTime) -> Float { Float(rate) }

  /// Counts an epoch. A NaN is no progress.
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

  /// `rate`, `bad-epochs`, `cooldown-left` and, once there is one, `best`.
  public var state: [String: Double] {
    var state = [
      "rate": rate, "bad-epochs": Double(badEpochs), "cooldown-left": Double(cooldownLeft),
    ]
    state["best"] = best
    return state
  }

  /// Takes on the state that a file holds.
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
