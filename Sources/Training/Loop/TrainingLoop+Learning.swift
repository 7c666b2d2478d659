import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Synchronization

extension TrainingRun {
  /// Learns from what the epoch in work has left.
  func learn() throws {
    guard let sampler = samplers[state.part], let data = data(of: state.part) else { return }
    let order = sampler.indices(epoch: state.epoch)
    var settings = learningOptions(seed: options.seed)
    settings.start = min(state.position, order.count)
    let loader = FaceLoader(data, order: order, settings)
    defer { loader.stop() }
    pace = Pace()
    var begin = ContinuousClock.now
    while true {
      try stopIfCancelled()
      var group: [FaceBatch] = []
      while group.count < options.accumulate, let batch = try loader.next() {
        for skipped in batch.skipped {
          try onEvent(.note("left out: \(skipped.error.description)"))
        }
        if batch.indices.isEmpty {
          state.position = batch.end
        } else {
          group.append(batch)
        }
      }
      guard let last = group.last else { break }
      let (loss, norm) = try step(group, from: data)
      state.position = last.end
      let images = group.reduce(0) { $0 + $1.indices.count }
      state.images += images
      state.lossSum += loss * Double(images)
      let now = ContinuousClock.now
      state.seconds += (now - begin) / .seconds(1)
      pace.add(images: images, seconds: (now - begin) / .seconds(1))
      begin = now
      try report(loss: loss, norm: norm, imagesPerEpoch: order.count)
      try checkpointIfDue()
    }
    guard state.images > 0 else {
      throw TrainingError.unusable(
        problem: "no picture of the \(state.part.rawValue) part can be decoded")
    }
    state.position = order.count
  }

  /// How pictures are loaded.
  func loaderOptions(batchSize: Int) -> FaceLoader.Options {
    var settings = FaceLoader.Options(batchSize: batchSize, input: trainer.network.input)
    settings.skipsBroken = trainer.skipsBroken
    if let threads = trainer.loaderThreads { settings.threads = threads }
    if let fakes = options.fakes { settings.blending = fakes.blending }
    // What is judged by is left as it is, but for the faces that are blended in.
    settings.changesTones = false
    return settings
  }

  /// How they are loaded to learn from in the epoch in work.
  func learningOptions(seed: UInt64) -> FaceLoader.Options {
    var settings = loaderOptions(batchSize: options.batchSize)
    settings.augmentation = options.augmentation
    settings.changesTones = true
    settings.seed = seed
    settings.epoch = state.epoch
    return settings
  }

  func data(of part: EpochMetrics.Part) -> FaceManifest? {
    part == .training ? training : validationToLearn
  }

  func stopIfCancelled() throws {
    guard Task.isCancelled else { return }
    try writeCheckpoint()
    throw CancellationError()
  }

  /// One step of the optimiser on the gradients of some batches.
  ///
  /// - Returns: the mean loss of their images, and the gradient's norm.
  private func step(
    _ group: [FaceBatch], from data: FaceManifest
  ) throws -> (loss: Double, norm: Float) {
    let isAveraging = swa != nil && state.epoch >= (options.swa?.from ?? .max)
    let scheduled = schedule.rate(
      at: TrainingTime(step: state.steps, epoch: state.rows.count))
    if state.part == .training {
      state.learningRate = isAveraging ? options.swa?.learningRate ?? scheduled : scheduled
    }
    optimizer.learningRate = state.learningRate
    let images = group.reduce(0) { $0 + $1.indices.count }
    var result: (loss: Double, norm: Float)?
    try optimizer.step(learning) {
      var sum = Gradients()
      var loss = 0.0
      for (index, batch) in group.enumerated() {
        let part = Double(batch.indices.count) / Double(images)
        let context = TrainingContext(
          seed: options.seed, step: state.batches + index, recomputesBlocks: options.recompute,
          freezesStatistics: options.freezeStatistics)
        let (value, gradients) = try gradients(of: batch, part: Float(part), context, data)
        loss += Double(value) * part
        if group.count == 1 { sum = gradients } else { sum.add(gradients) }
        // An optimiser that looks around asks twice; statistics are those of where the weights were.
        if result == nil { store(context.recorded) }
      }
      let norm = options.clip.map { sum.clip(toNorm: $0) } ?? sum.norm
      guard norm.isFinite else { throw gradientDivergence(sum, group, data) }
      if result == nil { result = (loss, norm) }
      return sum
    }
    state.steps += 1
    state.batches += group.count
    ema?.update(parameters)
    return result ?? (0, 0)
  }

  private func gradients(
    of batch: FaceBatch, part: Float, _ context: TrainingContext, _ data: FaceManifest
  ) throws -> (value: Float, gradients: Gradients) {
    let network = network
    var (value, gradients) = valueAndGrad(of: learning) {
      options.loss(network(batch.images, .training(context)), batch.labels)
    }
    guard value.isFinite else { throw lossDivergence(batch, context.step, data) }
    if part != 1 { gradients.scale(by: part) }
    return (value, gradients)
  }

  /// Stores running statistics, those of frozen layers aside.
  private func store(_ recorded: [String: Tensor]) {
    for (key, value) in recorded where !options.freeze.contains(where: { key.hasPrefix($0) }) {
      network.store[key]?.value = value
    }
  }

  private func report(loss: Double, norm: Float, imagesPerEpoch: Int) throws {
    let rate = pace.imagesPerSecond
    let left = max(0, imagesPerEpoch - state.position)
    let epochSeconds = rate > 0 ? Double(left) / rate : 0
    let epochsLeft = state.part == .training ? max(0, options.epochs - state.epoch) : 0
    let extra = Double(samplers[.validation]?.epochLength ?? 0) * Double(options.validationEpochs)
    let wholeEpoch = rate > 0 ? Double(imagesPerEpoch) / rate : 0
    let validating = validationSeconds * Double(epochsLeft + (state.part == .training ? 1 : 0))
    try onEvent(
      .step(
        StepProgress(
          epoch: state.epoch, epochs: options.epochs + options.validationEpochs, part: state.part,
          step: state.steps, images: state.position, imagesPerEpoch: imagesPerEpoch, loss: loss,
          meanLoss: state.lossSum / Double(max(1, state.images)), gradientNorm: norm,
          learningRate: state.learningRate, imagesPerSecond: rate,
          secondsLeftInEpoch: epochSeconds,
          secondsLeft: epochSeconds + wholeEpoch * Double(epochsLeft) + validating
            + (state.part == .training && rate > 0 ? extra / rate : 0))))
  }
}

/// How fast the last steps were.
struct Pace {
  private var recent: [(images: Int, seconds: Double)] = []

  mutating func add(images: Int, seconds: Double) {
    recent.append((images, seconds))
    if recent.count > 20 { recent.removeFirst() }
  }

  /// Images a second; the first step, which loads and warms up, counts only while it is alone.
  var imagesPerSecond: Double {
    let steps = recent.count > 1 ? recent.dropFirst() : recent[...]
    let seconds = steps.reduce(0) { $0 + $1.seconds }
    return seconds > 0 ? Double(steps.reduce(0) { $0 + $1.images }) / seconds : 0
  }
}
