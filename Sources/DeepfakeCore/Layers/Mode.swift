import Synchronization

/// The purpose of a forward pass. It is an argument, so that one model can serve several tasks at
/// once.
public enum Mode: Sendable {
  /// Dropout and stochastic depth are off; batch norm uses its running statistics.
  case inference
  /// Dropout and stochastic depth are on. Batch norm uses the batch's statistics and reports new
  /// running statistics, unless the context freezes them.
  case training(TrainingContext)
}

/// The data that one training step gives to the layers: random numbers and a place to report new
/// running statistics.
public final class TrainingContext: Sendable {
  /// The seed of the training run.
  public let seed: UInt64
  /// The number of the step. Together with the seed and a layer's key it determines what is
  /// dropped.
  public let step: Int
  /// The weight of a batch in the running statistics; nil: each layer's own momentum. With 1 / n
  /// for batch n, the statistics become the means over all batches.
  public let statisticsMomentum: Float?
  /// Whether networks keep only the inputs of their blocks for the backward pass (see
  /// `Checkpointed`).
  public let recomputesBlocks: Bool
  /// Whether batch norm uses its running statistics, as at inference, and does not change them.
  public let freezesStatistics: Bool
  private let statistics = Mutex<[String: Tensor]>([:])

  /// Creates the context of one step; see the properties for the arguments.
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

  /// The random number generator of the layer with `key` in this step.
  public func generator(for key: String) -> SeededGenerator {
    SeededGenerator(seed: seed &+ UInt64(truncatingIfNeeded: step) &* 0x9E37_79B9, label: key)
  }

  /// Stores a new value of a running statistic. The trainer writes it to the parameter after the
  /// step.
  public func record(_ value: Tensor, for key: String) {
    statistics.withLock { $0[key] = value.detached }
  }

  /// The stored statistics so far, by parameter key.
  public var recorded: [String: Tensor] { statistics.withLock { $0 } }
}
