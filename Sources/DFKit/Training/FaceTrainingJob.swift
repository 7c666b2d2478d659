import DeepfakeCore
import FaceData
import Foundation
import Training

/// Trains a face detector: what `dfkit detector train` does.
package typealias DetectorTrainingJob = FaceTrainingJob<DetectorTrainer>

/// Trains a look-alike embedder: what `dfkit identity train` does.
package typealias EmbedderTrainingJob = FaceTrainingJob<EmbedderTrainer>

/// Trains a network that needs no recipe, on the faces of a dataset.
package struct FaceTrainingJob<FaceNetworkTrainer: FaceTrainer>: Sendable {
  /// Folders with a `manifest.csv`, and CSV files. A detector learns from samples with `box` and
  /// `landmarks` in pixels of the pictures.
  package var data: [URL]
  /// The run's folder.
  package var folder: RunFolder
  /// How the network is trained.
  package var options: FaceNetworkTrainer.Options
  /// Initial weights; nil: random ones from the seed, or as the resumed run began.
  package var start: URL?
  /// Whether to continue the run in the folder.
  package var isResuming = false
  /// When checkpoints are written, beside the one at each epoch's end.
  package var checkpoints = CheckpointTimes()
  /// What the resumed run began with; nil for a new run, or one of a version that did not write it.
  private var begun: RunFacts?

  package init(
    data: [URL], folder: RunFolder, options: FaceNetworkTrainer.Options = .init()
  ) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// The job that continues the run in a folder, with the data and options that it began with.
  ///
  /// - Throws: `TrainingError` where there is no such run or its `run.json` is damaged.
  package init(resuming folder: RunFolder) throws(TrainingError) {
    self.init(data: [], folder: folder)
    isResuming = true
    guard FileManager.default.fileExists(atPath: folder.facts.path) else {
      guard FileManager.default.fileExists(atPath: folder.checkpoint.path) else {
        throw .nothingToResume(folder: folder.url.relativePath)
      }
      return
    }
    let facts = try RunFacts(folder)
    try facts.require(network: FaceNetworkTrainer.name, in: folder)
    data = facts.data.map { URL(fileURLWithPath: $0) }
    for (key, text) in facts.settings ?? [:] {
      do {
        try options.set(key, .text(text))
      } catch {
        throw .damaged(file: folder.facts.relativePath, reason: error.description)
      }
    }
    begun = facts
  }

  /// The pictures to learn from and those held out.
  ///
  /// - Throws: `DatasetError`.
  package func split() throws(DatasetError) -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws(DatasetError) -> DataSplit {
    try FaceNetworkTrainer.split(try manifest(data))
  }

  private static func manifest(_ data: [URL]) throws(DatasetError) -> FaceManifest {
    var manifests: [FaceManifest] = []
    for url in data { manifests.append(try FaceManifest.read(url)) }
    let manifest = try FaceManifest.joined(manifests)
    try manifest.checkFiles()
    return manifest
  }

  /// Trains on the pictures to learn from, and writes beside the run's own files what it began
  /// with.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, `CancellationError`.
  @discardableResult
  package func run(
    _ split: DataSplit, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    let initialWeights = try start.map { try RunFacts.InitialWeights($0) }
    try checkStart(initialWeights)
    let state = try start.map { try StateDict.read($0) }
    var trainer = try trainer(split)
    trainer.startsFromSeed = initialWeights == nil && begun?.initialWeights == nil
    return try trainer.run(from: state, in: folder, resuming: isResuming) { event in
      if case .begins(let outline) = event, !isResuming {
        try folder.write(
          facts(split, initialWeights, parameters: outline.learnable).json, to: folder.facts)
      }
      try onEvent(event)
    }
  }

  /// The trainer on the pictures to learn from.
  ///
  /// - Throws: `DatasetError` where they lack what the network has to learn.
  package func trainer(_ split: DataSplit) throws(DatasetError) -> FaceNetworkTrainer {
    var trainer = try FaceNetworkTrainer(split.training, options)
    trainer.checkpoints = checkpoints
    return trainer
  }

  /// Throws where the run to continue began with other weights than are given now.
  private func checkStart(_ weights: RunFacts.InitialWeights?) throws(TrainingError) {
    guard let begun, let weights, weights.sha256 != begun.initialWeights?.sha256 else { return }
    let before = begun.initialWeights.map(\.text) ?? "none"
    throw .changed(
      folder: folder.url.relativePath,
      differences: [.init(key: "initial weights", before: before, now: weights.text)])
  }

  private func facts(
    _ split: DataSplit, _ initialWeights: RunFacts.InitialWeights?, parameters: Int
  ) -> RunFacts {
    var facts = RunFacts(
      data: data, digest: split.training.digest, parameters: parameters)
    facts.network = FaceNetworkTrainer.name
    facts.settings = options.texts
    facts.initialWeights = initialWeights
    return facts
  }
}
