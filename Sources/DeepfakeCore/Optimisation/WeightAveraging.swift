/// The plain mean of the parameters at several times of a training, usually the ends of its last
/// epochs: stochastic weight averaging (Izmailov et al. 2018). A network with batch norm needs
/// `recomputeStatistics` afterwards.
package struct WeightAveraging: WeightAverage {
  /// The means.
  package var averages = ParameterAverages()

  /// An average without values.
  package init() {}

  /// Takes in the present values.
  package mutating func update(_ parameters: [Parameter]) {
    averages.move(towards: parameters, by: 1 / Float(averages.updates + 1))
  }
}

/// Measures a network's running statistics anew: each becomes the mean of what the batches' own
/// are, as PyTorch's `update_bn` does. Needed where weights were set to averages, whose statistics
/// nobody has seen. Networks without batch norm stay as they are.
///
/// - Parameters:
///   - network: The network, run in training mode.
///   - parameters: Its parameters.
///   - batches: Inputs, NHWC, as in training.
///   - seed: What dropout draws from.
public func recomputeStatistics(
  of network: some Module, _ parameters: [Parameter],
  over batches: some Sequence<Tensor>, seed: UInt64 = 0
) {
  let statistics = parameters.filter { $0.role == .statistic }
  if statistics.isEmpty { return }
  withoutRecording {
    for (index, batch) in batches.enumerated() {
      // By equal parts: the first batch's statistics replace what was there.
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
