import DeepfakeCore
import FaceData

extension TrainingRun {
  /// Why the loss of a batch is not finite: the batch runs once more, and every layer's output is looked
  /// at.
  func lossDivergence(_ batch: FaceBatch, _ step: Int, _ data: FaceManifest) -> TrainingError {
    let context = TrainingContext(
      seed: options.seed, step: step, freezesStatistics: options.freezeStatistics)
    let network = network
    let found = firstNonFiniteLayer { network(batch.images, .training(context)) }
    let layer = found?.parameters.first.map { key in
      // The layer's key is that of its parameters without their own names.
      key.split(separator: ".").dropLast().joined(separator: ".")
    }
    return .diverged(
      divergence(
        .loss(layer: layer ?? found?.operation, weights: !(found?.damaged.isEmpty ?? true)),
        [batch], data))
  }

  /// Which gradient is not finite. Backward goes from the last layers to the first, so the last
  /// parameter is the first that it reached.
  func gradientDivergence(
    _ gradients: Gradients, _ group: [FaceBatch], _ data: FaceManifest
  ) -> TrainingError {
    let culprit = learning.last { !(gradients[$0]?.isFinite ?? true) }
    let name = culprit?.key ?? "all parameters together (their norm overflows)"
    return .diverged(divergence(.gradient(parameter: name), group, data))
  }

  func divergence(
    _ what: Divergence.What, _ group: [FaceBatch], _ data: FaceManifest
  ) -> Divergence {
    Divergence(
      what: what, epoch: state.epoch, step: state.steps + 1,
      files: group.flatMap { $0.indices.map { data.samples[$0].path } },
      learningRate: state.learningRate, checkpointStep: checkpointStep)
  }
}
