import DeepfakeCore
import FaceData
import Foundation
import Training

/// Trains a look-alike embedder: what `dfkit identity train` does.
package struct EmbedderTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, and CSV files.
  package var data: [URL]
  /// The run's folder.
  package var folder: RunFolder
  /// How it is trained.
  package var options: EmbedderTrainer.Options
  /// Weights to start from; nil for weights from the seed.
  package var start: URL?
  /// Whether a run in the folder is gone on with.
  package var isResuming = false
  /// When checkpoints are written beside each epoch's end.
  package var checkpoints = CheckpointTimes()

  package init(data: [URL], folder: RunFolder, options: EmbedderTrainer.Options = .init()) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// The data in a part to learn from and one to judge by.
  ///
  /// - Throws: `DatasetError`.
  package func split() throws -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws -> DataSplit {
    let manifest = try FaceManifest.joined(data.map(FaceManifest.read))
    try manifest.checkFiles()
    return try IdentityData.split(manifest)
  }

  /// Trains on the part to learn from.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, `CancellationError`.
  @discardableResult
  package func run(
    _ split: DataSplit, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    var trainer = EmbedderTrainer(options)
    trainer.checkpoints = checkpoints
    let start = try start.map { try StateDict.read($0) }
    return try trainer.run(
      IdentityData(split.training), from: start, in: folder, resuming: isResuming,
      onEvent: onEvent)
  }
}
