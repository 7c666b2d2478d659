import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Measures

/// The training task of a classifier of face crops.
final class ClassifierTask: TrainingTask {
  private let trainer: Trainer
  /// The training samples, including made fakes.
  private let training: FaceManifest
  /// The samples to validate on; nil without validation.
  private let validation: FaceManifest?
  /// The validation samples for the final epochs, which train on them.
  private let validationToLearn: FaceManifest?
  private let samplers: [EpochMetrics.Part: Sampler]
  let identity: [String: String]

  init(_ trainer: Trainer, training: FaceManifest, validation: FaceManifest?) throws {
    self.trainer = trainer
    let options = trainer.options
    guard !training.isEmpty else {
      throw TrainingError.unusable(problem: "there are no training samples")
    }
    let fakes = options.fakes
    let known = validation?.withKnownLabels
    if let known, known.isEmpty {
      throw TrainingError.unusable(
        problem: "the validation part has no sample with a known label: a teacher's probabilities"
          + " cannot tell how good the network is")
    }
    let training = fakes == nil ? training : training.withMadeFakes()
    let validationToLearn = fakes == nil ? known : known?.withMadeFakes()
    let validation = known.map { fakes?.judged($0) ?? $0 }
    self.training = training
    self.validation = validation
    self.validationToLearn = validationToLearn
    if fakes != nil, !training.hasMadeFakes {
      throw TrainingError.unusable(
        problem: "fakes: no real sample of the training part has landmarks, which are needed to"
          + " make fakes; find them with 'dfkit landmarks DATA --in-place', or set fakes to none")
    }
    if trainer.network.input.difference != nil { try Self.checkMotion(of: training) }
    if options.validationEpochs > 0, validation == nil {
      throw TrainingError.unusable(
        problem: "validationEpochs is \(options.validationEpochs), but there is no validation part;"
          + " hold out some of the data (holdOut), or set validationEpochs to 0")
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
  }

  /// Throws if the samples of a label have no later crop: a network that reads the difference to it
  /// would learn nothing, or the label from the lack of motion.
  private static func checkMotion(of training: FaceManifest) throws(TrainingError) {
    for label in FaceLabel.allCases {
      let rows = training.table.rows.filter { $0.label == label }
      guard rows.isEmpty || rows.contains(where: { $0.later != SampleTable.Row.none }) else {
        throw .unusable(
          problem: "the network reads the difference to a later frame, but no \(label.word) sample"
            + " has a later crop (column 'later'); extract the crops with 'dfkit extract"
            + " --difference SECONDS', or leave 'input' out of the recipe's member")
      }
    }
  }

  var options: TrainingOptions { trainer.options }
  var store: ParameterStore { network.store }
  var sampleCounts: (training: Int, validation: Int) { (training.count, validation?.count ?? 0) }
  private var network: ClassifierNetwork { trainer.network.network }

  var plotTitle: (title: String, subtitle: String) {
    let metadata = trainer.network.metadata
    let norm = metadata.norm.map { ", \($0.rawValue) norm" } ?? ""
    return (
      [metadata.architecture, metadata.recipe].compactMap { $0 }.joined(separator: ", "),
      "\(trainer.network.input.size) px\(norm), batch \(options.batchSize),"
        + " \(options.optimizer.kind.name), \(training.count) training samples,"
        + " \(validation?.count ?? 0) validation samples"
    )
  }

  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int { samplers[part]?.epochLength ?? 0 }

  func output(_ batch: FaceBatch, _ context: TrainingContext) -> Tensor {
    network(batch.images, .training(context))
  }

  func loss(_ output: Tensor, _ batch: FaceBatch) -> (loss: Tensor, parts: [Float]) {
    (options.loss(output, batch.labels), [])
  }

  func write(_ url: URL, entries: [String: String]) throws {
    try trainer.network.state(entries).write(safetensors: url)
  }

  func load(_ state: StateDict) throws { try trainer.network.load(state) }
}

// MARK: Batches

extension FaceBatch: TrainingBatch {
  var count: Int { indices.count }
  var notes: [String] { skipped.map { "left out: \($0.error.description)" } }
}

extension ClassifierTask {
  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<FaceBatch> {
    guard let order = samplers[part]?.indices(epoch: epoch), let data = data(of: part) else {
      preconditionFailure("ClassifierTask: nothing is learned from the \(part.rawValue) part")
    }
    var settings = learningOptions(seed: options.seed, epoch: epoch)
    settings.start = min(position, order.count)
    let loader = FaceLoader(data, order: order, settings)
    return BatchSource(total: order.count, next: loader.next, stop: loader.stop)
  }

  func files(of batch: FaceBatch, in part: EpochMetrics.Part) -> [String] {
    guard let samples = data(of: part)?.samples else { return [] }
    return batch.indices.map { samples[$0].path }
  }

  private func data(of part: EpochMetrics.Part) -> FaceManifest? {
    part == .training ? training : validationToLearn
  }

  /// The options of loading for validation.
  private func loaderOptions(batchSize: Int) -> FaceLoader.Options {
    var settings = FaceLoader.Options(batchSize: batchSize, input: trainer.network.input)
    settings.skipsBroken = trainer.skipsBroken
    if let threads = trainer.loaderThreads { settings.threads = threads }
    if let fakes = options.fakes { settings.blending = fakes.blending }
    // In validation, only the blended faces change; tones stay the same.
    settings.changesTones = false
    return settings
  }

  /// The options of loading for training in an epoch.
  private func learningOptions(seed: UInt64, epoch: Int) -> FaceLoader.Options {
    var settings = loaderOptions(batchSize: options.batchSize)
    settings.augmentation = options.augmentation
    settings.changesTones = true
    settings.seed = seed
    settings.epoch = epoch
    return settings
  }
}

// MARK: Judging

extension ClassifierTask {
  func validate(
    _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> ValidationScores.Result? {
    guard let validation else { return nil }
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
          throw NonFiniteOutput(files: batch.indices.map { validation.samples[$0].path })
        }
        scores.add(
          logit: logit, label: validation.label(index), video: validation.videoNumber(index))
      }
      try onProgress(batch.end, validation.count)
    }
    guard let result = scores.result else {
      throw TrainingError.unusable(problem: "no picture of the validation part can be decoded")
    }
    return result
  }

  /// Measures the statistics of batch norm on up to a hundred batches of the training part.
  func measureStatistics(epoch: Int) throws {
    guard let sampler = samplers[.training] else { return }
    let order = Array(sampler.indices(epoch: 0).prefix(100 * options.batchSize))
    let loader = FaceLoader(
      training, order: order, learningOptions(seed: options.seed &+ 2, epoch: epoch))
    defer { loader.stop() }
    try network.measureStatistics(seed: options.seed) {
      while let batch = try loader.next() {
        if !batch.indices.isEmpty { return batch.images }
      }
      return nil
    }
  }
}
