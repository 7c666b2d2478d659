import DeepfakeCore
import Foundation

/// One run of a task: trains, validates, saves, and resumes a stopped run. Use it on one thread
/// only.
final class TrainingLoop<T: TrainingTask> {
  let task: T
  let folder: RunFolder
  let checkpoints: CheckpointTimes
  private let onEvent: (TrainingEvent) throws -> Void
  /// All parameters of the network.
  let parameters: [Parameter]
  /// The parameters that are trained.
  let learning: [Parameter]
  let identity: [String: String]

  var state = RunState()
  var optimizer: any Optimizer
  var schedule: any LearningRateSchedule
  var ema: ExponentialMovingAverage?
  var swa: WeightAveraging?
  /// The step of the last checkpoint on disk.
  var checkpointStep = 0
  var lastCheckpoint = ContinuousClock.now
  var pace = Pace()
  /// Duration of the last validation, in seconds.
  var validationSeconds = 0.0

  var options: TrainingOptions { task.options }

  init(
    _ task: T, _ folder: RunFolder, _ checkpoints: CheckpointTimes,
    _ onEvent: @escaping (TrainingEvent) throws -> Void
  ) throws {
    self.task = task
    self.folder = folder
    self.checkpoints = checkpoints
    self.onEvent = onEvent
    let options = task.options
    let parameters = task.store.parameters
    for prefix in options.freeze {
      guard parameters.contains(where: { $0.key.hasPrefix(prefix) }) else {
        let some = parameters.prefix(3).map(\.key).joined(separator: ", ")
        throw TrainingError.unusable(
          problem: "freeze: no parameter of the network begins with '\(prefix)'; their names are"
            + " \(some), ...")
      }
    }
    self.parameters = parameters
    learning = parameters.filter { parameter in
      parameter.role != .statistic && !options.freeze.contains { parameter.key.hasPrefix($0) }
    }
    guard !learning.isEmpty else {
      throw TrainingError.unusable(problem: "freeze leaves no parameter to train")
    }
    identity = task.identity
    optimizer = task.makeOptimizer(of: parameters)
    schedule = task.makeSchedule(stepsPerEpoch: Self.stepsPerEpoch(task))
    ema = options.ema.map { ExponentialMovingAverage(decay: $0, warmsUp: true) }
    swa = options.swa.map { _ in WeightAveraging() }
  }

  func run(resuming: Bool) throws -> TrainingResult {
    for parameter in parameters where !parameter.isLoaded {
      parameter.initialize(seed: options.seed)
    }
    if resuming { try resume() }
    try tell(.begins(outline))
    try folder.log("\(Date().formatted(.iso8601)) \(resuming ? "goes on" : "begins")")
    // Writes first, so that an error in writing shows before anything is computed.
    if !resuming { try writeCheckpoint() }
    var reason = TrainingResult.Reason.completed
    while !state.isFinished {
      try beginEpoch()
      if state.isFinished { break }
      try learn()
      try endEpoch()
    }
    if (state.trainingEpochs ?? 0) < options.epochs { reason = .earlyStop }
    let result = TrainingResult(epochs: state.rows, reason: reason, best: folder.best)
    try tell(.ends(result))
    return result
  }

  /// Reports an event. Notes and epochs are added to the log first.
  func tell(_ event: TrainingEvent) throws {
    switch event {
    case .note(let text): try folder.log(text)
    case .epoch(let row): try folder.log(row.row)
    default: break
    }
    try onEvent(event)
  }

  /// Chooses the part that the next epoch trains on, or ends the run.
  private func beginEpoch() throws {
    guard state.position == 0, state.images == 0 else { return }
    let done = state.rows.count
    if state.part == .training {
      let isStopped = options.earlyStop.map { state.epochsWithoutProgress >= $0 } ?? false
      guard done >= options.epochs || isStopped else { return }
      state.trainingEpochs = done
      if options.validationEpochs > 0 { try turnToValidationPart() }
    }
    let extra = done - (state.trainingEpochs ?? done)
    if state.part == .training || extra >= options.validationEpochs {
      state.isFinished = true
      try writeCheckpoint()
    }
  }

  /// Starts the epochs on the validation part, from the best weights and with a new optimiser.
  private func turnToValidationPart() throws {
    if state.bestLoss != nil { try task.load(try StateDict.read(folder.best)) }
    state.part = .validation
    optimizer = task.makeOptimizer(of: parameters)
    ema = options.ema.map { ExponentialMovingAverage(decay: $0, warmsUp: true) }
    swa = nil
  }

  private static func stepsPerEpoch(_ task: T) -> Int {
    task.imagesPerEpoch(.training).dividedRoundingUp(by: task.batchSize)
      .dividedRoundingUp(by: task.options.accumulate)
  }

  private var outline: RunOutline {
    func count(_ parameters: [Parameter]) -> Int {
      parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
    let learnable = count(learning)
    let samples = task.sampleCounts
    return RunOutline(
      trainingSamples: samples.training, validationSamples: samples.validation,
      imagesPerEpoch: task.imagesPerEpoch(.training), stepsPerEpoch: Self.stepsPerEpoch(task),
      epochs: options.epochs, learnable: learnable,
      frozen: count(parameters.filter { $0.role != .statistic }) - learnable,
      stepsBefore: state.steps)
  }
}
