import DeepfakeCore
import Foundation

extension TrainingLoop {
  /// Trains on the remaining batches of the current epoch.
  func learn() throws {
    let source = try task.batches(of: state.part, epoch: state.epoch, from: state.position)
    defer { source.stop() }
    pace = Pace()
    var begin = ContinuousClock.now
    while true {
      try stopIfCancelled()
      var group: [T.Batch] = []
      while group.count < options.accumulate, let batch = try source.next() {
        for note in batch.notes { try tell(.note(note)) }
        if batch.count == 0 {
          state.position = batch.end
        } else {
          group.append(batch)
        }
      }
      guard let last = group.last else { break }
      let step = try step(group)
      state.position = last.end
      let images = group.reduce(0) { $0 + $1.count }
      state.add(step.loss, step.parts, images: images)
      let now = ContinuousClock.now
      state.seconds += (now - begin) / .seconds(1)
      pace.add(images: images, seconds: (now - begin) / .seconds(1))
      begin = now
      try report(step, imagesPerEpoch: source.total)
      try checkpointIfDue()
    }
    guard state.images > 0 else {
      throw TrainingError.unusable(
        problem: "no picture of the \(state.part.rawValue) part can be decoded")
    }
    state.position = source.total
  }

  private func stopIfCancelled() throws {
    guard Task.isCancelled else { return }
    try writeCheckpoint()
    throw CancellationError()
  }

  /// The results of a step: mean losses of its images, and the gradient's norm before clipping.
  private struct Step {
    var loss = 0.0
    var parts: [Double]
    var norm: Float = 0
  }

  /// Does one step of the optimiser, with the gradients of some batches.
  private func step(_ group: [T.Batch]) throws -> Step {
    let isAveraging = swa != nil && state.epoch >= (options.swa?.from ?? .max)
    let scheduled = schedule.rate(
      at: TrainingTime(step: state.steps, epoch: state.rows.count))
    if state.part == .training {
      state.learningRate = isAveraging ? options.swa?.learningRate ?? scheduled : scheduled
    }
    optimizer.learningRate = state.learningRate
    let images = group.reduce(0) { $0 + $1.count }
    let nothing = Step(parts: Array(repeating: 0, count: task.lossParts.count))
    var result: Step?
    try optimizer.step(learning) {
      var sum = Gradients()
      var step = nothing
      for (index, batch) in group.enumerated() {
        let part = Double(batch.count) / Double(images)
        let context = TrainingContext(
          seed: options.seed, step: state.batches + index, recomputesBlocks: options.recompute,
          freezesStatistics: options.freezeStatistics)
        let (value, parts, gradients) = try gradients(of: batch, part: Float(part), context)
        step.loss += Double(value) * part
        for (place, value) in parts.enumerated() { step.parts[place] += Double(value) * part }
        if group.count == 1 { sum = gradients } else { sum.add(gradients) }
        // SAM calls this closure twice. The first call is at the current weights: only its
        // statistics count.
        if result == nil { store(context.recorded) }
      }
      step.norm = options.clip.map { sum.clip(toNorm: $0) } ?? sum.norm
      guard step.norm.isFinite else { throw gradientDivergence(sum, group) }
      if result == nil { result = step }
      return sum
    }
    state.steps += 1
    state.batches += group.count
    ema?.update(parameters)
    return result ?? nothing
  }

  private func gradients(
    of batch: T.Batch, part: Float, _ context: TrainingContext
  ) throws -> (value: Float, parts: [Float], gradients: Gradients) {
    var parts: [Float] = []
    var (value, gradients) = valueAndGrad(of: learning) {
      let result = task.loss(task.output(batch, context), batch)
      parts = result.parts
      return result.loss
    }
    guard value.isFinite else { throw lossDivergence(batch, context.step) }
    if part != 1 { gradients.scale(by: part) }
    return (value, parts, gradients)
  }

  /// Stores running statistics, except those of frozen layers.
  private func store(_ recorded: [String: Tensor]) {
    for (key, value) in recorded where !options.freeze.contains(where: { key.hasPrefix($0) }) {
      task.store[key]?.value = value
    }
  }

  private func report(_ step: Step, imagesPerEpoch: Int) throws {
    let rate = pace.imagesPerSecond
    let left = max(0, imagesPerEpoch - state.position)
    let epochSeconds = rate > 0 ? Double(left) / rate : 0
    let epochsLeft = state.part == .training ? max(0, options.epochs - state.epoch) : 0
    let extra =
      options.validationEpochs == 0
      ? 0 : Double(task.imagesPerEpoch(.validation)) * Double(options.validationEpochs)
    let wholeEpoch = rate > 0 ? Double(imagesPerEpoch) / rate : 0
    let validating = validationSeconds * Double(epochsLeft + (state.part == .training ? 1 : 0))
    try tell(
      .step(
        StepProgress(
          epoch: state.epoch, epochs: options.epochs + options.validationEpochs, part: state.part,
          step: state.steps, images: state.position, imagesPerEpoch: imagesPerEpoch,
          loss: step.loss, meanLoss: state.meanLoss, gradientNorm: step.norm,
          learningRate: state.learningRate, imagesPerSecond: rate,
          secondsLeftInEpoch: epochSeconds,
          secondsLeft: epochSeconds + wholeEpoch * Double(epochsLeft) + validating
            + (state.part == .training && rate > 0 ? extra / rate : 0))))
  }
}

/// The speed of the last 20 steps.
struct Pace {
  private var recent: [(images: Int, seconds: Double)] = []

  mutating func add(images: Int, seconds: Double) {
    recent.append((images, seconds))
    if recent.count > 20 { recent.removeFirst() }
  }

  /// Images per second. The oldest step is left out if there are others: the first step of a run is
  /// slow.
  var imagesPerSecond: Double {
    let steps = recent.count > 1 ? recent.dropFirst() : recent[...]
    let seconds = steps.reduce(0) { $0 + $1.seconds }
    return seconds > 0 ? Double(steps.reduce(0) { $0 + $1.images }) / seconds : 0
  }
}
