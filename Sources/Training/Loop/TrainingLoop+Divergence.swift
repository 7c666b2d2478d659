import DeepfakeCore

extension TrainingLoop {
  /// Why the loss of a batch is not finite: the batch runs once more, and every layer's output is
  /// looked at.
  func lossDivergence(_ batch: T.Batch, _ step: Int) -> TrainingError {
    let context = TrainingContext(
      seed: options.seed, step: step, freezesStatistics: options.freezeStatistics)
    let task = task
    let found = firstNonFiniteLayer {
      _ = task.output(batch, context)
      return Tensor(scalar: 0)
    }
    let layer = found?.parameters.first.map { key in
      // The layer's key is that of its parameters without their own names.
      key.split(separator: ".").dropLast().joined(separator: ".")
    }
    return .diverged(
      divergence(
        .loss(layer: layer ?? found?.operation, weights: !(found?.damaged.isEmpty ?? true)),
        task.files(of: batch, in: state.part)))
  }

  /// Which gradient is not finite. Backward goes from the last layers to the first, so the last
  /// parameter is the first that it reached.
  func gradientDivergence(_ gradients: Gradients, _ group: [T.Batch]) -> TrainingError {
    let culprit = learning.last { !(gradients[$0]?.isFinite ?? true) }
    let name = culprit?.key ?? "all parameters together (their norm overflows)"
    let files = group.flatMap { task.files(of: $0, in: state.part) }
    return .diverged(divergence(.gradient(parameter: name), files))
  }

  func divergence(_ what: Divergence.What, _ files: [String]) -> Divergence {
    Divergence(
      what: what, epoch: state.epoch, step: state.steps + 1, files: files,
      learningRate: state.learningRate, checkpointStep: checkpointStep)
  }
}
