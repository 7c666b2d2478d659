import DeepfakeCore
import FaceData
import Foundation
import Training

/// Trains a look-alike embedder: the work of `dfkit identity train`.
package struct EmbedderTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, or CSV files.
  package var data: [URL]
  /// The folder for checkpoints, metrics and weights.
  package var folder: RunFolder
  /// The settings of the training, such as steps, learning rate and random seed.
  package var options: EmbedderTrainer.Options
  /// The weights to start from; nil: random weights from the seed.
  package var start: URL?
  /// Whether to continue the run in the folder from its last checkpoint.
  package var isResuming = false
  /// When checkpoints are written in addition to those at the end of each epoch.
  package var checkpoints = CheckpointTimes()

  package init(data: [URL], folder: RunFolder, options: EmbedderTrainer.Options = .init()) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// Splits the people of the data into a training part and a held-out part.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be used or pictures are missing.
  package func split() throws -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws -> DataSplit {
    let manifest = try FaceManifest.joined(data.map(FaceManifest.read))
    try manifest.checkFiles()
    return try IdentityData.split(manifest)
  }

  /// Trains the embedder on the training part of `split`.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, and `CancellationError` in a
  ///   cancelled task.
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
