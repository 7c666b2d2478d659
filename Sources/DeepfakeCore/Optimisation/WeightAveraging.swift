/// The plain mean of the parameters at several times of a training, usually after each of the last
/// epochs: stochastic weight averaging (Izmailov et al. 2018). A network with batch norm needs
/// `recomputeStatistics` afterwards.
package struct WeightAveraging: WeightAverage {
  package var averages = ParameterAverages()

  package init() {}

  /// Adds the current values to the means.
  package mutating func update(_ parameters: [Parameter]) {
    averages.move(towards: parameters, by: 1 / Float(averages.updates + 1))
  }
}

/// Recomputes a network's running statistics: each becomes the mean of the statistics of `batches`,
/// as in PyTorch's `update_bn`. It is needed after setting weights to averages, because no
/// statistics were measured for these weights. Networks without batch norm are unchanged.
///
/// - Parameters:
///   - network: The network; it runs in training mode.
///   - parameters: The network's parameters.
///   - batches: Input batches, NHWC, as in training.
///   - seed: The random seed of dropout.
public func recomputeStatistics(
  of network: some Module, _ parameters: [Parameter],
  over batches: some Sequence<Tensor>, seed: UInt64 = 0
) {
  let statistics = parameters.filter { $0.role == .statistic }
  if statistics.isEmpty { return }
  withoutRecording {
    for (index, batch) in batches.enumerated() {
      // Batch n has the weight 1 / n, so the first batch's statistics replace the old ones.
      let context = TrainingContext(
        seed: seed, step: index, statisticsMomentum: 1 / Float(index + 1))
      _ = network(batch, .training(context))
      let recorded = context.recorded
      for statistic in statistics {
        if let value = recorded[statistic.key] { statistic.value = value }
      }
    }
  }
}
