import Classifiers
import DeepfakeCore
import Foundation

extension TrainingRun {
  /// Calls `body` with the network at the weights that are validated and kept: the averages, where there
  /// are any.
  func withKeptWeights<Result>(_ body: () throws -> Result) throws -> Result {
    if let swa, swa.averages.updates > 0 {
      let statistics = parameters.filter { $0.role == .statistic }
      let values = statistics.map(\.value)
      defer { for (parameter, value) in zip(statistics, values) { parameter.value = value } }
      return try swa.withAverages(in: learning) {
        if !statistics.isEmpty, !options.freezeStatistics { try measureStatistics() }
        return try body()
      }
    }
    if let ema, ema.averages.updates > 0 { return try ema.withAverages(in: parameters, body) }
    return try body()
  }

  /// Measures batch norms' running statistics anew, on up to a hundred batches of the training part: nobody
  /// has seen those of averaged weights.
  private func measureStatistics() throws {
    guard let sampler = samplers[.training] else { return }
    let order = Array(sampler.indices(epoch: 0).prefix(100 * options.batchSize))
    let loader = FaceLoader(
      training, order: order, learningOptions(seed: options.seed &+ 2))
    defer { loader.stop() }
    var failure: (any Error)?
    let batches = AnyIterator<Tensor> {
      do {
        if Task.isCancelled { throw ValidationCancelled() }
        while let batch = try loader.next() {
          if !batch.indices.isEmpty { return batch.images }
        }
      } catch {
        failure = error
      }
      return nil
    }
    recomputeStatistics(
      of: network, parameters, over: batches, seed: options.seed)
    if let failure { throw failure }
  }

  /// Judges the validation part with the network as it is.
  func validate() throws -> (frames: EpochMetrics.Scores, videos: EpochMetrics.Scores)? {
    guard let validation, state.part == .training else { return nil }
    let start = ContinuousClock.now
    let packed = trainer.network.packedCopy()
    let loader = FaceLoader(
      validation, order: Array(0..<validation.count),
      loaderOptions(batchSize: max(options.batchSize, 16)))
    defer { loader.stop() }
    var scores = ValidationScores()
    while let batch = try loader.next() {
      if Task.isCancelled { throw ValidationCancelled() }
      if batch.indices.isEmpty { continue }
      let logits = packed(batch.images).scalars
      for (index, logit) in zip(batch.indices, logits) {
        guard logit.isFinite else {
          throw TrainingError.diverged(divergence(.validation, [batch], validation))
        }
        scores.add(
          logit: logit, label: validation.label(index), video: validation.videoNumber(index))
      }
      try onEvent(.validating(done: batch.end, total: validation.count))
    }
    validationSeconds = (ContinuousClock.now - start) / .seconds(1)
    guard let result = scores.result else {
      throw TrainingError.unusable(problem: "no picture of the validation part can be decoded")
    }
    return result
  }
}

/// Thrown by a validation that was interrupted: what was learned before is saved first.
struct ValidationCancelled: Error {}
