import DeepfakeCore

extension TrainingLoop {
  /// An error for a batch whose loss is not finite. The batch runs again to find the first layer
  /// with an output that is not finite.
  func lossDivergence(_ batch: T.Batch, _ step: Int) -> TrainingError {
    let context = TrainingContext(
      seed: options.seed, step: step, freezesStatistics: options.freezeStatistics)
    let task = task
    let found = firstNonFiniteLayer {
      _ = task.output(batch, context)
      return Tensor(scalar: 0)
    }
    let layer = found?.parameters.first.map { key in
      // A layer's key is its parameters' key without their own name.
      key.split(separator: ".").dropLast().joined(separator: ".")
    }
    return .diverged(
      divergence(
        .loss(layer: layer ?? found?.operation, weights: !(found?.damaged.isEmpty ?? true)),
        task.files(of: batch, in: state.part)))
  }

  /// An error for gradients that are not finite. The backward pass runs from the last layers to the
  /// first, so it names the last such parameter.
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
