import DeepfakeCore
import FaceData
import FaceDetect
import Foundation
import Settings

/// Trains RetinaFace with the mobilenet0.25 backbone on composed scenes.
///
/// A run is kept in a folder, as for `Trainer`. The result depends on the options and the data
/// alone, not on the number of threads or on interruptions.
package struct DetectorTrainer: FaceTrainer {
  /// Settings of the training.
  package struct Options: FaceTrainerOptions {
    /// Number of optimiser steps.
    package var steps = 8000
    /// Number of scenes in a step.
    package var batch = 8
    /// Side of most scenes in pixels. Small scenes take less time, but would never train large
    /// anchors in the middle of a frame. Therefore three of ten steps have a quarter as many scenes
    /// of twice the size.
    package var size = 320
    /// The highest learning rate of AdamW. The rate rises during a twentieth of the steps and then
    /// falls along a cosine.
    package var learningRate: Float = 3e-3
    /// Weight decay of AdamW.
    package var weightDecay: Float = 0.01
    /// The norm that a longer gradient is clipped to.
    package var clip: Float = 10
    /// Decay of the moving average of the weights in each step. The average is saved.
    package var averageDecay: Float = 0.998
    /// Random seed; the same seed gives the same weights.
    package var seed: UInt64 = 0

    /// The default settings. `Docs/Detectors.md` lists those of the shipped weights.
    package init() {}

    package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
      try fields.value(
        "steps", &steps, .whole(in: 2...10_000_000), "The number of optimiser steps.")
      try fields.value("batch", &batch, .whole(in: 1...1024), "The number of scenes per step.")
      try fields.value(
        "size", &size, .whole(in: 64...1024, multipleOf: 32),
        "The side of most scenes, in pixels; some scenes are twice as large.")
      try fields.value(
        "rate", &learningRate, .number(in: 1e-8...1), "The highest learning rate.")
      try fields.value("decay", &weightDecay, .number(in: 0...10), "The weight decay.")
      try fields.value(
        "clip", &clip, .number(in: 1e-6...1e6),
        "The maximum norm of the gradient; a longer gradient is scaled down to it.")
      try fields.value(
        "average", &averageDecay, .number(in: 0.5...0.999_999),
        "The decay of the moving average of the weights: the fraction of its value kept at a step.")
      try fields.value(
        "seed", &seed, .whole(in: 0...UInt64(Int.max)),
        "Random seed; the same seed gives the same weights.")
    }
  }

  /// Number of steps in an epoch. A run saves and reports after each epoch.
  package static let epochSteps = 200

  /// Settings of the training.
  package let options: Options
  package var checkpoints = CheckpointTimes()
  package var startsFromSeed = true
  private let faces: LabelledFaces

  package init(_ faces: LabelledFaces, _ options: Options = Options()) {
    self.faces = faces
    self.options = options
  }

  package init(_ faces: FaceManifest, _ options: Options) throws(DatasetError) {
    self.init(try LabelledFaces(faces), options)
  }

  package static var name: String { "detector" }

  package static func split(_ faces: FaceManifest) throws(DatasetError) -> DataSplit {
    try HoldOut().split(faces)
  }

  @discardableResult
  package func run(
    from start: StateDict? = nil, in folder: RunFolder, resuming: Bool = false,
    onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    try DetectorTask.run(
      in: folder, resuming: resuming, bytes: 10_000_000, checkpoints, onEvent: onEvent
    ) {
      try DetectorTask(self, data: faces.digest, count: faces.count, from: start)
    }
  }

  /// Composes the scenes of a step.
  ///
  /// - Throws: `DatasetError` for the first picture that cannot be read.
  package func scenes(_ step: Int) throws(DatasetError) -> [DetectionScene] {
    var generator = SeededGenerator(seed: options.seed, label: "scenes \(step)")
    let isLarge = generator.uniform() < 0.3
    let composer = SceneComposer(faces: faces, size: isLarge ? 2 * options.size : options.size)
    let count = isLarge ? max(1, options.batch / 4) : options.batch
    let results = Parallel.map(count) { place in
      Result { () throws(DatasetError) in
        var generator = SeededGenerator(seed: options.seed, label: "scene \(step) \(place)")
        return try composer.scene(using: &generator)
      }
    }
    var scenes: [DetectionScene] = []
    for result in results { scenes.append(try result.get()) }
    return scenes
  }
}

struct SceneBatch: TrainingBatch {
  let scenes: [DetectionScene]
  let step: Int
  /// The nominal number of images, as if all scenes had the usual size, so all steps count equally.
  let count: Int
  let end: Int
  var notes: [String] { [] }
}

/// The training task of a detector that learns from composed scenes.
final class DetectorTask: TrainingTask {
  let options: TrainingOptions
  let store = ParameterStore()
  let identity: [String: String]
  let sampleCounts: (training: Int, validation: Int)
  private let trainer: DetectorTrainer
  private let data: String
  private let network: PlainRetinaFace
  private let isFresh: Bool
  private var multiBox = MultiBoxLoss()

  /// Makes a network with random weights from the seed, or with the weights `start`.
  ///
  /// - Parameters:
  ///   - data: The SHA-256 of the manifest.
  ///   - count: The number of faces to learn from.
  init(
    _ trainer: DetectorTrainer, data: String, count: Int, from start: StateDict?
  ) throws(WeightsError) {
    let settings = trainer.options
    self.trainer = trainer
    self.data = data
    sampleCounts = (count, 0)
    isFresh = start == nil && trainer.startsFromSeed
    network = PlainRetinaFace(.mobileNet, store.root)
    network.initialize(store, seed: settings.seed)
    if let start { try PlainRetinaFace.load(start, into: store) }
    multiBox.fewestNegatives = 64
    multiBox.matching.ignoredOverlap = 0.25
    multiBox.landmarkWeight = 0.4
    var options = TrainingOptions()
    options.epochs = settings.steps.dividedRoundingUp(by: DetectorTrainer.epochSteps)
    options.batchSize = settings.batch
    options.seed = settings.seed
    options.clip = settings.clip
    options.ema = settings.averageDecay
    self.options = options
    identity = settings.identity(data: data, startsFromSeed: isFresh)
  }

  var batchSize: Int { trainer.options.batch }
  var lossParts: [String] { ["classes", "boxes", "landmarks"] }
  var plotTitle: (title: String, subtitle: String) {
    (
      "Training the face detector",
      "\(trainer.options.size) px, batch \(batchSize), \(sampleCounts.training) training faces"
    )
  }

  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int {
    min(trainer.options.steps, DetectorTrainer.epochSteps) * batchSize
  }

  func makeOptimizer(of parameters: [Parameter]) -> any Optimizer {
    AdamW(groups: .decayingWeights(trainer.options.weightDecay))
  }

  func makeSchedule(stepsPerEpoch: Int) -> any LearningRateSchedule {
    let steps = trainer.options.steps
    return CosineDecay(
      trainer.options.learningRate, steps: max(2, steps), warmUpSteps: steps / 20)
  }

  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<SceneBatch> {
    let (trainer, batch) = (trainer, batchSize)
    let first = (epoch - 1) * DetectorTrainer.epochSteps
    let steps = min(trainer.options.steps - first, DetectorTrainer.epochSteps)
    var done = position / batch
    return BatchSource(total: steps * batch) {
      guard done < steps else { return nil }
      let scenes = try trainer.scenes(first + done)
      done += 1
      return SceneBatch(scenes: scenes, step: first + done - 1, count: batch, end: done * batch)
    }
  }

  func output(_ batch: SceneBatch, _ context: TrainingContext) -> RetinaFaceOutput {
    let images = Tensor(
      images: batch.scenes.map(\.image), normalization: RetinaFace.normalization)
    return network(images, .training(context))
  }

  func loss(
    _ output: RetinaFaceOutput, _ batch: SceneBatch
  ) -> (loss: Tensor, parts: [Float]) {
    // At first all anchors have similar losses, so the hardest ones mean nothing.
    let done = Float(batch.step) / Float(trainer.options.steps)
    multiBox.hardness = isFresh ? min(max((done - 0.03) / 0.17, 0), 1) : 1
    let (loss, parts) = multiBox(output, scenes: batch.scenes)
    return (loss, [parts.classes, parts.boxes, parts.landmarks])
  }

  /// Writes the averaged weights as 16-bit floats, under the keys of the published checkpoint.
  func write(_ url: URL, entries: [String: String]) throws {
    var metadata = ModelMetadata()
    metadata.architecture = "retinaface-\(RetinaFaceBackbone.mobileNet.rawValue)"
    metadata.scheme = "retinaface"
    metadata.norm = .batch
    metadata.manifestSHA256 = data.isEmpty ? nil : data
    let settings = trainer.options
    metadata.recipe =
      "seed \(settings.seed), \(settings.steps) steps of \(settings.batch) scenes"
    try store.stateDict(metadata: metadata.entries.merging(entries) { $1 })
      .write(safetensors: url, dtype: .f16)
  }

  func load(_ state: StateDict) throws { try PlainRetinaFace.load(state, into: store) }
}
