import DeepfakeCore
import FaceData
import Foundation
import Training

/// Trains a face detector: what `dfkit detector train` does.
package struct DetectorTrainingJob: Sendable {
  /// Folders with a `manifest.csv`, and CSV files, with `box` and `landmarks` in pixels of the
  /// pictures.
  package var data: [URL]
  /// The run's folder.
  package var folder: RunFolder
  /// How it is trained.
  package var options: DetectorTrainer.Options
  /// Weights to start from; nil for weights from the seed.
  package var start: URL?
  /// Whether a run in the folder is gone on with.
  package var isResuming = false
  /// When checkpoints are written beside each epoch's end.
  package var checkpoints = CheckpointTimes()

  package init(data: [URL], folder: RunFolder, options: DetectorTrainer.Options = .init()) {
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
    return try HoldOut().split(manifest)
  }

  /// Trains on the part to learn from.
  ///
  /// - Throws: `DatasetError`, `TrainingError`, `WeightsError`, `CancellationError`.
  @discardableResult
  package func run(
    _ split: DataSplit, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    let start = try start.map { try StateDict.read($0) }
    return try trainer(split).run(
      from: start, in: folder, resuming: isResuming, onEvent: onEvent)
  }

  /// What trains on the part to learn from.
  ///
  /// - Throws: `DatasetError` where no face's place is known.
  package func trainer(_ split: DataSplit) throws(DatasetError) -> DetectorTrainer {
    var trainer = DetectorTrainer(try LabelledFaces(split.training), options)
    trainer.checkpoints = checkpoints
    return trainer
  }
}
