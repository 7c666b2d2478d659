import Synchronization

/// What a forward pass is for. An argument, so that one model serves many tasks at once.
public enum Mode: Sendable {
  /// Dropout and stochastic depth do nothing; batch norm uses its running statistics.
  case inference
  /// Dropout and stochastic depth drop; batch norm uses the batch's statistics and reports them.
  case training(TrainingContext)
}

/// What one training step hands down to the layers: randomness, and a place for running statistics.
public final class TrainingContext: Sendable {
  /// The run's seed.
  public let seed: UInt64
  /// The step's number; with the seed and a layer's key it fixes what is dropped.
  public let step: Int
  /// The weight of a batch in the running statistics, where it is not each layer's own: 1 / n when they
  /// become the means over n batches.
  public let statisticsMomentum: Float?
  private let statistics = Mutex<[String: Tensor]>([:])
  /// Gets the output of each layer with weights, under the layer's key, as it is computed.
  private let watch: (@Sendable (_ layer: String, _ output: Tensor) -> Void)?

  /// The context of one step. `statisticsMomentum`: see there. `watch` gets the output of each layer
  /// with weights, under its key.
  public init(
    seed: UInt64, step: Int, statisticsMomentum: Float? = nil,
    watch: (@Sendable (_ layer: String, _ output: Tensor) -> Void)? = nil
  ) {
    self.seed = seed
    self.step = step
    self.statisticsMomentum = statisticsMomentum
    self.watch = watch
  }

  fileprivate func see(_ output: Tensor, of parameter: Parameter) {
    guard let watch else { return }
    watch(String(parameter.key.dropLast(parameter.key.hasSuffix(".weight") ? 7 : 0)), output)
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

extension Tensor {
  /// The tensor itself; whoever watches a training step gets to see it as the output of the layer with
  /// that weight.
  package func seen(as weight: Parameter, _ mode: Mode) -> Tensor {
    if case .training(let context) = mode { context.see(self, of: weight) }
    return self
  }
}
