import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import Settings

/// Trains a `LookAlikeNetwork` on pictures, some of which are known to show the same face.
///
/// A run is kept in a folder, as for `Trainer`. The result depends on the options and the data
/// alone, not on the number of threads or on interruptions.
package struct EmbedderTrainer: FaceTrainer {
  /// Settings of the training.
  package struct Options: FaceTrainerOptions {
    /// Number of optimiser steps.
    package var steps = 1500
    /// Number of pairs of views in a step.
    package var pairs = 128
    /// The highest learning rate of AdamW. The rate rises during a twentieth of the steps and then
    /// falls along a cosine.
    package var learningRate: Float = 2e-3
    /// Weight decay of AdamW.
    package var weightDecay: Float = 0.02
    /// The divisor of the similarities in the loss.
    package var temperature: Float = 0.1
    /// The norm that a longer gradient is clipped to.
    package var clip: Float = 1
    /// Side of the network's input in pixels.
    package var size = LookAlikeNetwork.nativeSize
    /// Random seed; the same seed gives the same weights.
    package var seed: UInt64 = 0
    /// Threads that prepare pictures; the weights do not depend on their number.
    package var loaderThreads = 1

    /// The default settings. `Docs/Identity.md` lists those of the shipped weights.
    package init() {}

    package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
      try fields.value("steps", &steps, .whole(in: 2...1_000_000), "The number of optimiser steps.")
      try fields.value(
        "pairs", &pairs, .whole(in: 2...2048), "The number of pairs of views per step.")
      try fields.value(
        "size", &size, .whole(in: 32...512), "The side of the network's input, in pixels.")
      try fields.value(
        "rate", &learningRate, .number(in: 1e-8...1), "The highest learning rate.")
      try fields.value("decay", &weightDecay, .number(in: 0...10), "The weight decay.")
      try fields.value(
        "temperature", &temperature, .number(in: 0.01...10),
        "The number by which similarities are divided in the loss.")
      try fields.value(
        "clip", &clip, .number(in: 1e-6...1e6),
        "The maximum norm of the gradient; a longer gradient is scaled down to it.")
      try fields.value(
        "seed", &seed, .whole(in: 0...UInt64(Int.max)),
        "Random seed; the same seed gives the same weights.")
    }
  }

  /// Number of steps in an epoch. A run saves and reports after each epoch.
  package static let epochSteps = 100

  /// Settings of the training.
  package let options: Options
  package var checkpoints = CheckpointTimes()
  package var startsFromSeed = true
  private let data: IdentityData

  /// A trainer on some pictures.
  package init(_ data: IdentityData, _ options: Options = Options()) {
    self.data = data
    self.options = options
  }

  package init(_ faces: FaceManifest, _ options: Options) throws(DatasetError) {
    self.init(try IdentityData(faces), options)
  }

  package static var name: String { "identity" }

  package static func split(_ faces: FaceManifest) throws(DatasetError) -> DataSplit {
    try IdentityData.split(faces)
  }

  @discardableResult
  package func run(
    from start: StateDict? = nil, in folder: RunFolder,
    resuming: Bool = false, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    guard data.people.count > 1 else {
      throw TrainingError.unusable(
        problem: "the data names \(data.people.count) people; training needs at least two"
          + " different names in the column 'person'")
    }
    return try EmbedderTask.run(
      in: folder, resuming: resuming, bytes: 10_000_000, checkpoints, onEvent: onEvent
    ) {
      try EmbedderTask(self, data, from: start)
    }
  }
}

/// Views of faces. Each two consecutive views show one face.
struct ViewBatch: TrainingBatch {
  let images: Tensor
  let faces: [FaceIdentity]
  let files: [String]
  let end: Int
  var count: Int { faces.count }
  var notes: [String] { [] }
}

/// The training task of a look-alike network that learns from pairs of views.
final class EmbedderTask: TrainingTask {
  let options: TrainingOptions
  let identity: [String: String]
  let sampleCounts: (training: Int, validation: Int)
  let batchSize: Int
  private let settings: EmbedderTrainer.Options
  private let network = LookAlikeNetwork()
  private let contrast: ContrastiveLoss
  private let digest: String
  private var views: ViewStream

  init(
    _ trainer: EmbedderTrainer, _ data: IdentityData, from start: StateDict?
  ) throws(WeightsError) {
    settings = trainer.options
    contrast = ContrastiveLoss(temperature: settings.temperature)
    digest = data.manifest.digest
    sampleCounts = (data.manifest.count, 0)
    views = ViewStream(ViewPlan(data: data, seed: settings.seed), settings)
    batchSize = views.batchSize
    var options = TrainingOptions()
    options.epochs = settings.steps.dividedRoundingUp(by: EmbedderTrainer.epochSteps)
    options.batchSize = batchSize
    options.seed = settings.seed
    options.clip = settings.clip
    self.options = options
    identity = settings.identity(
      data: digest, startsFromSeed: start == nil && trainer.startsFromSeed)
    if let start {
      try network.store.load(start)
    } else {
      network.store.initialize(seed: settings.seed)
    }
  }

  var store: ParameterStore { network.store }
  var plotTitle: (title: String, subtitle: String) {
    (
      "Training the look-alike embedder",
      "\(settings.size) px, \(settings.pairs) pairs per step, \(sampleCounts.training) training"
        + " pictures"
    )
  }

  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int {
    min(settings.steps, EmbedderTrainer.epochSteps) * batchSize
  }

  func makeOptimizer(of parameters: [Parameter]) -> any Optimizer {
    AdamW(groups: .decayingWeights(settings.weightDecay))
  }

  func makeSchedule(stepsPerEpoch: Int) -> any LearningRateSchedule {
    CosineDecay(
      settings.learningRate, steps: max(2, settings.steps), warmUpSteps: settings.steps / 20)
  }

  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<ViewBatch> {
    let first = (epoch - 1) * EmbedderTrainer.epochSteps
    let steps = min(settings.steps - first, EmbedderTrainer.epochSteps)
    var done = position / batchSize
    return BatchSource(total: steps * batchSize) { [self] in
      guard done < steps else { return nil }
      let batch = try views.batch(of: first + done, end: (done + 1) * batchSize)
      done += 1
      return batch
    }
  }

  func output(_ batch: ViewBatch, _ context: TrainingContext) -> Tensor {
    network(batch.images, .training(context))
  }

  func loss(_ output: Tensor, _ batch: ViewBatch) -> (loss: Tensor, parts: [Float]) {
    (contrast(output, faces: batch.faces), [])
  }

  func files(of batch: ViewBatch, in part: EpochMetrics.Part) -> [String] { batch.files }

  func write(_ url: URL, entries: [String: String]) throws {
    var metadata = LookAlikeEmbedder.metadata(
      input: LookAlikeEmbedder.input(size: settings.size), lookAlikeThreshold: nil)
    metadata.recipe = "seed \(settings.seed), \(settings.steps) steps"
    try store.stateDict().write(
      safetensors: url, metadata: metadata.entries.merging(entries) { $1 }, dtype: .f16)
  }

  func load(_ state: StateDict) throws { try store.load(state) }
}

/// Batches of views, step by step, in repeated passes over the data. They are prepared ahead.
private struct ViewStream {
  /// The size of pictures while they are changed, relative to the input's. It is above 1 since most
  /// views are crops of a picture.
  private static let detail: Float = 1.75

  /// Number of views in a batch: two for each pair, at most all views of a pass.
  let batchSize: Int
  private let plan: ViewPlan
  private let options: EmbedderTrainer.Options
  /// Number of batches in a pass.
  private let passLength: Int
  private var order: [Int] = []
  private var loader: FaceLoader?
  /// The step whose batch the loader returns next.
  private var next = -1

  init(_ plan: ViewPlan, _ options: EmbedderTrainer.Options) {
    self.plan = plan
    self.options = options
    let views = plan.samples(epoch: 0).count
    batchSize = min(2 * options.pairs, views)
    passLength = views / batchSize
  }

  /// The batch of a step. Consecutive steps continue the current pass; any other step starts a new
  /// loader.
  mutating func batch(of step: Int, end: Int) throws -> ViewBatch {
    let start = step % passLength * batchSize
    if step != next || start == 0 { begin(pass: step / passLength, start: start) }
    guard let batch = try loader?.next() else {
      preconditionFailure("ViewStream: a pass has \(passLength) batches, asked for \(step)")
    }
    next = step + 1
    let slots = start..<start + batch.indices.count
    // Both views of a pair count as the face of the first one.
    return ViewBatch(
      images: batch.images, faces: slots.map { plan.data.face(order[$0 / 2 * 2]) },
      files: batch.indices.map { plan.data.manifest.samples[$0].path }, end: end)
  }

  private mutating func begin(pass: Int, start: Int) {
    loader?.stop()
    order = plan.samples(epoch: pass)
    var settings = FaceLoader.Options(
      batchSize: batchSize, input: LookAlikeEmbedder.input(size: options.size))
    settings.augmentation = .views
    settings.detail = Self.detail
    settings.seed = options.seed
    settings.epoch = pass
    settings.start = start
    settings.dropsLast = true
    settings.threads = options.loaderThreads
    loader = FaceLoader(plan.data.manifest, order: order, settings)
  }
}
