import DeepfakeCore
import FaceData
import Foundation
import Training

/// Trains a face detector: the work of `dfkit detector train`.
package struct DetectorTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, or CSV files. Their columns `box` and `landmarks` are in pixels
  /// of the pictures.
  package var data: [URL]
  /// The folder for checkpoints, metrics and weights.
  package var folder: RunFolder
  /// The settings of the training, such as steps, learning rate and random seed.
  package var options: DetectorTrainer.Options
  /// The weights to start from; nil: random weights from the seed.
  package var start: URL?
  /// Whether to continue the run in the folder from its last checkpoint.
  package var isResuming = false
  /// When checkpoints are written in addition to those at the end of each epoch.
  package var checkpoints = CheckpointTimes()

  package init(data: [URL], folder: RunFolder, options: DetectorTrainer.Options = .init()) {
    self.data = data
    self.folder = folder
    self.options = options
  }

  /// Splits the data into a training part and a held-out part.
  ///
  /// - Throws: `DatasetError` if a manifest cannot be used or pictures are missing.
  package func split() throws -> DataSplit { try Self.split(data) }

  static func split(_ data: [URL]) throws -> DataSplit {
    let manifest = try FaceManifest.joined(data.map(FaceManifest.read))
    try manifest.checkFiles()
    return try HoldOut().split(manifest)
  }

  /// Trains the detector on the training part of `split`.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, and `CancellationError` in a
  ///   cancelled task.
  @discardableResult
  package func run(
    _ split: DataSplit, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    let start = try start.map { try StateDict.read($0) }
    return try trainer(split).run(
      from: start, in: folder, resuming: isResuming, onEvent: onEvent)
  }

  /// The trainer for the training part of `split`.
  ///
  /// - Throws: `DatasetError` if no face has a known position.
  package func trainer(_ split: DataSplit) throws(DatasetError) -> DetectorTrainer {
    var trainer = DetectorTrainer(try LabelledFaces(split.training), options)
    trainer.checkpoints = checkpoints
    return trainer
  }
}
