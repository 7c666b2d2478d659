import Synchronization

/// What a forward pass is for. An argument, so that one model serves many tasks at once.
public enum Mode: Sendable {
  /// Dropout and stochastic depth do nothing; batch norm uses its running statistics.
  case inference
  /// Dropout and stochastic depth drop; batch norm uses the batch's statistics and reports them,
  /// unless the context freezes them.
  case training(TrainingContext)
}

/// What one training step hands down to the layers: randomness, and a place for running statistics.
public final class TrainingContext: Sendable {
  /// The run's seed.
  public let seed: UInt64
  /// The step's number; with the seed and a layer's key it fixes what is dropped.
  public let step: Int
  /// The weight of a batch in the running statistics, where it is not each layer's own: 1 / n when
  /// they become the means over n batches.
  public let statisticsMomentum: Float?
  /// Whether networks keep their blocks' inputs alone for backward (see `Checkpointed`).
  public let recomputesBlocks: Bool
  /// Whether batch norm uses its running statistics, as at inference, and leaves them as they are.
  public let freezesStatistics: Bool
  private let statistics = Mutex<[String: Tensor]>([:])

  /// The context of one step. `statisticsMomentum`, `recomputesBlocks`, `freezesStatistics`: see
  /// there.
  public init(
    seed: UInt64, step: Int, statisticsMomentum: Float? = nil, recomputesBlocks: Bool = false,
    freezesStatistics: Bool = false
  ) {
    self.seed = seed
    self.step = step
    self.statisticsMomentum = statisticsMomentum
    self.recomputesBlocks = recomputesBlocks
    self.freezesStatistics = freezesStatistics
  }

  /// The generator of one layer in this step.
  public func generator(for key: String) -> SeededGenerator {
    SeededGenerator(seed: seed &+ UInt64(truncatingIfNeeded: step) &* 0x9E37_79B9, label: key)
  }

  /// Notes a new value of a running statistic; the trainer stores it after the step.
  public func record(_ value: Tensor, for key: String) {
    statistics.withLock { $0[key] = value.detached }
  }

  /// The statistics noted so far, by parameter key.
  public var recorded: [String: Tensor] { statistics.withLock { $0 } }
}
