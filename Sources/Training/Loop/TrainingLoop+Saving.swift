import DeepfakeCore
import Foundation
import Measures

extension TrainingLoop {
  /// Ends an epoch: validates, saves, and moves to the next epoch.
  func endEpoch() throws {
    let average = state.part == .training && state.epoch >= (options.swa?.from ?? .max)
    // The average before this epoch. An interrupted validation is repeated and must start from it.
    let before = swa
    if average { swa?.update(learning) }
    let row: EpochMetrics
    do {
      row = try withKeptWeights { try judgeAndWriteWeights() }
    } catch is ValidationCancelled {
      swa = before
      try writeCheckpoint()
      throw CancellationError()
    }
    if state.part == .training, let loss = row.frames?.logLoss {
      schedule.observe(loss)
      state.epochsWithoutProgress = row.isBest ? 0 : state.epochsWithoutProgress + 1
      if row.isBest { state.bestLoss = loss }
    }
    state.rows.append(row)
    state.epoch += 1
    state.position = 0
    state.forgetEpoch()
    try writeCheckpoint()
    try updateFiles()
    try tell(.epoch(row))
  }

  /// Validates and returns the epoch's row. New weights are written to pending files. These replace
  /// the old files once the checkpoint includes the epoch.
  private func judgeAndWriteWeights() throws -> EpochMetrics {
    let start = ContinuousClock.now
    let scores = state.part == .training ? try validate() : nil
    if scores != nil { validationSeconds = (ContinuousClock.now - start) / .seconds(1) }
    // Without validation, the latest weights count as the best.
    let isBest = scores.map { $0.frames.logLoss < state.bestLoss ?? .infinity } ?? true
    let row = EpochMetrics(
      epoch: state.epoch, part: state.part, steps: state.steps, seconds: state.seconds,
      images: state.images, learningRate: state.learningRate,
      loss: state.meanLoss, parts: state.meanParts(task.lossParts), frames: scores?.frames,
      videos: scores?.videos, isBest: isBest)
    var entries = ["epoch": "\(state.epoch)"]
    if let loss = scores?.frames.logLoss { entries["validationLogLoss"] = "\(loss)" }
    if isBest { try task.write(folder.pending(folder.best), entries: entries) }
    try task.write(folder.pending(folder.last), entries: entries)
    return row
  }

  private func validate() throws -> ValidationScores.Result? {
    do {
      return try task.validate { try tell(.validating(done: $0, total: $1)) }
    } catch let error as NonFiniteOutput {
      throw TrainingError.diverged(divergence(.validation, error.files))
    }
  }

  /// Calls `body` with the weights that are validated and saved: the averages, if there are any.
  private func withKeptWeights<Result>(_ body: () throws -> Result) throws -> Result {
    if let swa, swa.averages.updates > 0 {
      let statistics = parameters.filter { $0.role == .statistic }
      let values = statistics.map(\.value)
      defer { for (parameter, value) in zip(statistics, values) { parameter.value = value } }
      return try swa.withAverages(in: learning) {
        if !statistics.isEmpty, !options.freezeStatistics {
          try task.measureStatistics(epoch: state.epoch)
        }
        return try body()
      }
    }
    if let ema, ema.averages.updates > 0 { return try ema.withAverages(in: parameters, body) }
    return try body()
  }

  func checkpointIfDue() throws {
    let steps = checkpoints.steps.map { state.steps % $0 == 0 } ?? false
    guard steps || ContinuousClock.now - lastCheckpoint > checkpoints.interval else { return }
    try writeCheckpoint()
    try tell(.checkpoint(step: state.steps))
  }

  func writeCheckpoint() throws {
    state.schedule = schedule.state
    let checkpoint = Checkpoint(
      state: state, identity: identity,
      weights: Dictionary(uniqueKeysWithValues: parameters.map { ($0.key, $0.value) }),
      optimizer: optimizer.state, ema: ema?.averages.state ?? [:], swa: swa?.averages.state ?? [:])
    try checkpoint.write(folder.checkpoint)
    checkpointStep = state.steps
    lastCheckpoint = .now
  }

  /// Updates all other files to the state of the checkpoint.
  private func updateFiles() throws {
    let epoch = state.rows.last.map { "\($0.epoch)" }
    for file in [folder.best, folder.last] {
      let pending = folder.pending(file)
      guard FileManager.default.fileExists(atPath: pending.path) else { continue }
      // The checkpoint does not include this epoch: the epoch is repeated.
      guard let state = try? StateDict.read(pending), state.metadata["epoch"] == epoch else {
        try? FileManager.default.removeItem(at: pending)
        continue
      }
      guard rename(pending.path, file.path) == 0 else { throw RunFolder.failure(file) }
    }
    let lines = [EpochMetrics.header(parts: task.lossParts)] + state.rows.map(\.row)
    try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: folder.metrics)
    guard !state.rows.isEmpty else { return }
    let (title, subtitle) = task.plotTitle
    let plot = LinePlot(title, subtitle: subtitle, run: state.rows)
    try folder.write(Data(plot.svg.utf8), to: folder.plot)
  }

  /// Restores the run from the folder's checkpoint.
  ///
  /// - Throws: `TrainingError` if the checkpoint is damaged or has different settings.
  func resume() throws {
    let checkpoint = try Checkpoint.read(folder.checkpoint)
    let differences = Checkpoint.differences(checkpoint.identity, identity)
    guard differences.isEmpty else {
      throw TrainingError.changed(folder: folder.url.relativePath, differences: differences)
    }
    let file = folder.checkpoint.relativePath
    do {
      try set(checkpoint.weights)
      state = checkpoint.state
      try optimizer.restore(checkpoint.optimizer, for: learning, file: file)
      try schedule.restore(checkpoint.state.schedule, file: file)
      if state.part == .validation { swa = nil }
      try ema?.averages.restore(checkpoint.ema, for: parameters, file: file)
      try swa?.averages.restore(checkpoint.swa, for: learning, file: file)
    } catch let error as OptimizerStateError {
      throw TrainingError.damaged(file: file, reason: "\(error)")
    }
    // A finished run continues if more epochs are asked for than at its start.
    if state.isFinished, state.part == .training, state.rows.count < options.epochs {
      let isStopped = options.earlyStop.map { state.epochsWithoutProgress >= $0 } ?? false
      if !isStopped { (state.isFinished, state.trainingEpochs) = (false, nil) }
    }
    checkpointStep = state.steps
    try updateFiles()
  }

  private func set(_ weights: [String: Tensor]) throws {
    let file = folder.checkpoint.relativePath
    guard weights.count == parameters.count else {
      throw TrainingError.damaged(
        file: file, reason: "it has \(weights.count) weights, the network \(parameters.count)")
    }
    for parameter in parameters {
      guard let value = weights[parameter.key], value.shape == parameter.shape else {
        throw TrainingError.damaged(
          file: file, reason: "\(parameter.key) is missing or has a wrong shape")
      }
      parameter.value = value
    }
  }
}
