import Classifiers
import DeepfakeCore
import Foundation

/// One run of a trainer: what changes in its course. For one thread.
final class TrainingRun {
  let trainer: Trainer
  /// What is learned from, with the fakes that are made.
  let training: FaceManifest
  /// What is judged by.
  let validation: FaceManifest?
  /// The validation part as it is learned from in the end.
  let validationToLearn: FaceManifest?
  let folder: RunFolder
  let onEvent: (TrainingEvent) throws -> Void
  /// All of the network's parameters.
  let parameters: [Parameter]
  /// Those that learn.
  let learning: [Parameter]
  let samplers: [EpochMetrics.Part: Sampler]
  let identity: [String: String]

  var state = RunState()
  var optimizer: any Optimizer
  var schedule: any LearningRateSchedule
  var ema: ExponentialMovingAverage?
  var swa: WeightAveraging?
  /// The step of the checkpoint on the disk.
  var checkpointStep = 0
  var lastCheckpoint = ContinuousClock.now
  var pace = Pace()
  /// Seconds that the last validation took.
  var validationSeconds = 0.0

  var options: TrainingOptions { trainer.options }
  var network: ClassifierNetwork { trainer.network.network }

  init(
    _ trainer: Trainer, training: FaceManifest, validation: FaceManifest?, folder: RunFolder,
    onEvent: @escaping (TrainingEvent) throws -> Void
  ) throws {
    self.trainer = trainer
    self.folder = folder
    self.onEvent = onEvent
    let options = trainer.options
    guard !training.isEmpty else {
      throw TrainingError.unusable(problem: "there are no samples to learn from")
    }
    let fakes = options.fakes
    let training = fakes == nil ? training : training.withMadeFakes()
    let validationToLearn = fakes == nil ? validation : validation?.withMadeFakes()
    let validation = validation.map { fakes?.judged($0) ?? $0 }
    self.training = training
    self.validation = validation
    self.validationToLearn = validationToLearn
    if fakes != nil, !training.hasMadeFakes {
      throw TrainingError.unusable(
        problem: "fakes: no real sample of the training part has landmarks to make a fake by; find"
          + " them with 'dfkit landmarks DATA --in-place', or set fakes to none")
    }
    if options.validationEpochs > 0, validation == nil {
      throw TrainingError.unusable(
        problem: "validationEpochs is \(options.validationEpochs), and there is no validation part;"
          + " hold some of the data out (holdOut), or set it to 0")
    }
    parameters = trainer.network.parameters
    for prefix in options.freeze {
      guard parameters.contains(where: { $0.key.hasPrefix(prefix) }) else {
        let some = parameters.prefix(3).map(\.key).joined(separator: ", ")
        throw TrainingError.unusable(
          problem: "freeze: no parameter of the network begins with '\(prefix)'; they are called"
            + " \(some), ...")
      }
    }
    learning = parameters.filter { parameter in
      parameter.role != .statistic && !options.freeze.contains { parameter.key.hasPrefix($0) }
    }
    guard !learning.isEmpty else {
      throw TrainingError.unusable(problem: "freeze leaves nothing that could learn")
    }
    var samplers = [
      EpochMetrics.Part.training: try Sampler(
        training, order: options.sampling, madeShare: fakes?.share ?? 0, seed: options.seed)
    ]
    if let validationToLearn, options.validationEpochs > 0 {
      samplers[.validation] = try Sampler(
        validationToLearn, order: options.sampling, madeShare: fakes?.share ?? 0,
        seed: options.seed &+ 1)
    }
    self.samplers = samplers
    identity = trainer.fullIdentity(training, validation)
    optimizer = options.optimizer.optimizer(of: parameters)
    let batches = (samplers[.training]?.epochLength ?? 0).divided(by: options.batchSize)
    schedule = options.schedule.schedule(
      from: options.optimizer.learningRate, epochs: options.epochs,
      stepsPerEpoch: batches.divided(by: options.accumulate))
    ema = options.ema.map { ExponentialMovingAverage(decay: $0, warmsUp: true) }
    swa = options.swa.map { _ in WeightAveraging() }
  }

  func run(resuming: Bool) throws -> TrainingResult {
    for parameter in parameters where !parameter.isLoaded {
      parameter.initialize(seed: options.seed)
    }
    if resuming { try resume() }
    try onEvent(.begins(outline))
    // What cannot be written shows before anything is computed.
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
    try onEvent(.ends(result))
    return result
  }

  /// Decides what the next epoch learns from, or that there is none.
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

  /// The epochs on the validation part start from the best weights and with an optimiser that
  /// remembers nothing.
  private func turnToValidationPart() throws {
    if state.bestLoss != nil { try loadBest() }
    state.part = .validation
    optimizer = options.optimizer.optimizer(of: parameters)
    ema = options.ema.map { ExponentialMovingAverage(decay: $0, warmsUp: true) }
    swa = nil
  }

  var outline: RunOutline {
    let perEpoch = samplers[.training]?.epochLength ?? 0
    func count(_ parameters: [Parameter]) -> Int {
      parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
    let learnable = count(learning)
    return RunOutline(
      trainingSamples: training.count, validationSamples: validation?.count ?? 0,
      imagesPerEpoch: perEpoch,
      stepsPerEpoch: perEpoch.divided(by: options.batchSize).divided(by: options.accumulate),
      epochs: options.epochs, learnable: learnable,
      frozen: count(parameters.filter { $0.role != .statistic }) - learnable,
      stepsBefore: state.steps)
  }
}

extension Int {
  /// The quotient, rounded up.
  func divided(by other: Int) -> Int { (self + other - 1) / other }
}
