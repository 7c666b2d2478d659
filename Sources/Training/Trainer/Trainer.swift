import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// Trains a network on face crops.
///
/// A run lives in a folder (`RunFolder`): its best and latest weights, its curves, and a checkpoint
/// from which it goes on bit for bit after it was stopped or killed at any moment. What comes out
/// depends on the network, the data and the options, not on the number of threads nor on
/// interruptions.
///
/// ```swift
/// let split = try HoldOut(fraction: 0.2).split(FaceManifest.read(folder))
/// let trainer = Trainer(TrainableNetwork(ClassifierSettings(.efficientNetB0)))
/// let result = try trainer.run(
///   training: split.training, validation: split.heldOut, in: RunFolder(output))
/// print(result.best.path, result.epochs.last?.frames?.auc ?? .nan)
/// ```
public struct Trainer: Sendable {
  /// What is trained.
  public let network: TrainableNetwork
  /// How.
  public var options: TrainingOptions
  /// When checkpoints are written beside each epoch's end.
  package var checkpoints = CheckpointTimes()
  /// Whether pictures that cannot be decoded are left out, instead of ending the run.
  public var skipsBroken = false
  /// Threads that decode and augment; as many as compute if nil. The result does not depend on it.
  public var loaderThreads: Int?
  /// What a run must have been begun with to go on, beside the options, the network and the data:
  /// keys and values as people read them.
  public var identity: [String: String] = [:]

  /// A trainer of a network.
  public init(_ network: TrainableNetwork, _ options: TrainingOptions = TrainingOptions()) {
    self.network = network
    self.options = options
  }

  /// Trains until the options' epochs are done or the validation loss falls no more.
  ///
  /// Parameters without a value get one from the options' seed; those that have one are where
  /// training starts. In a cancelled task, a checkpoint is written and `CancellationError` thrown.
  ///
  /// - Parameters:
  ///   - training: What to learn from.
  ///   - validation: What to judge by after each epoch; nil: the latest weights are the best.
  ///   - folder: Where the run is kept.
  ///   - resuming: Whether a run in the folder is gone on with; a run that is there is otherwise
  ///     left alone and refused.
  ///   - onEvent: Hears what happens, on the calling thread.
  /// - Throws: `TrainingError`, `DatasetError`, `WeightsError`, and what `onEvent` throws.
  @discardableResult
  public func run(
    training: FaceManifest, validation: FaceManifest?, in folder: RunFolder,
    resuming: Bool = false, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    if let problem = options.problem { throw TrainingError.unusable(problem: problem) }
    let copies =
      options.optimizer.slots + (options.ema == nil ? 0 : 1) + (options.swa == nil ? 0 : 1)
    return try ClassifierTask.run(
      in: folder, resuming: resuming, bytes: network.parameters.runBytes(copies: copies),
      checkpoints, onEvent: onEvent
    ) {
      try ClassifierTask(self, training: training, validation: validation)
    }
  }

  /// All that must be the same for a run to go on.
  func fullIdentity(_ training: FaceManifest, _ validation: FaceManifest?) -> [String: String] {
    var result = identity
    for entry in options.entries {
      // More epochs may be asked for later, where the rate does not depend on them.
      if entry.key == "epochs", !options.schedule.dependsOnLength { continue }
      // The weights are the same either way.
      if entry.key == "recompute" { continue }
      // Runs that were begun before there were any say nothing of it.
      if entry.key == "fakes", options.fakes == nil { continue }
      result["training.\(entry.key)"] = entry.value.text
    }
    result["training data"] = "\(training.count) samples, \(training.contentDigest.prefix(16))"
    result["validation data"] =
      validation.map { "\($0.count) samples, \($0.contentDigest.prefix(16))" } ?? "none"
    let shapes = network.parameters.map { "\($0.key)\($0.shape)" }.joined(separator: "\n")
    result["network"] =
      "\(network.metadata.architecture ?? "own"), \(network.parameters.count) tensors,"
      + " \(SHA256.digits(of: Data(shapes.utf8)).prefix(16))"
    let input = network.input
    result["input"] =
      "\(input.size) pixels, mean \(input.mean), std \(input.std), \(input.channelOrder),"
      + " \(input.fit)"
    result["skips broken pictures"] = "\(skipsBroken)"
    return result
  }
}

extension FaceManifest {
  /// The SHA-256 of the samples' paths, labels and videos in order, which say what is learned, and
  /// of the landmarks that fakes are made by.
  var contentDigest: String {
    let hash = SHA256()
    for row in table.rows {
      let video = table.words[row.video, default: ""]
      let points = row.isMade ? "\t\(table.points(row)?.numbers ?? [])" : ""
      var line = "\(table.path(row))\t\(row.label.word)\t\(video)\(points)\n"
      line.withUTF8 { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return hash.digits()
  }
}
