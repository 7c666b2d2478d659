import Classifiers
import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// Trains a network on face crops.
///
/// A run is kept in a folder (`RunFolder`): its best and latest weights, its curves, and a
/// checkpoint. A run that was stopped or killed at any moment resumes from the checkpoint with
/// bit-identical results. The result depends on the network, the data and the options, not on the
/// number of threads or on interruptions.
///
/// ```swift
/// let split = try HoldOut(fraction: 0.2).split(FaceManifest.read(folder))
/// let trainer = Trainer(TrainableNetwork(ClassifierSettings(.efficientNetB0)))
/// let result = try trainer.run(
///   training: split.training, validation: split.heldOut, in: RunFolder(output))
/// print(result.best.path, result.epochs.last?.frames?.auc ?? .nan)
/// ```
public struct Trainer: Sendable {
  /// The network to train.
  public let network: TrainableNetwork
  /// The settings of the training.
  public var options: TrainingOptions
  /// When checkpoints are written, in addition to the end of each epoch.
  package var checkpoints = CheckpointTimes()
  /// Whether pictures that cannot be decoded are left out. Otherwise they end the run.
  public var skipsBroken = false
  /// Number of threads that decode and augment; nil: as many as compute. The result does not depend
  /// on it.
  public var loaderThreads: Int?
  /// The folder that keeps the features of a sequence network's frames, so that other runs with the
  /// same network and data need not compute them again; nil: features are not kept.
  public var featureFolder: URL?
  /// Further settings that must be the same to resume a run, in addition to the options, the
  /// network and the data. Keys and values are texts for the user.
  public var identity: [String: String] = [:]

  /// Makes a trainer of a network.
  public init(_ network: TrainableNetwork, _ options: TrainingOptions = TrainingOptions()) {
    self.network = network
    self.options = options
  }

  /// Trains until all epochs are done or the early stop ends the run.
  ///
  /// Parameters without a value are initialised from the options' seed; the others keep their
  /// values as the start. In a cancelled task, writes a checkpoint and throws `CancellationError`.
  ///
  /// - Parameters:
  ///   - training: The samples to train on.
  ///   - validation: The samples to evaluate on after each epoch; nil: the latest weights count as
  ///     the best. Pseudo-labelled samples (`FaceSample.probability`) are left out.
  ///   - folder: The folder of the run.
  ///   - resuming: Whether to resume the run in the folder. If false, a folder that contains a run
  ///     is refused.
  ///   - onEvent: Receives the run's events, on the calling thread.
  /// - Throws: `TrainingError`, `DatasetError`, `WeightsError`, and errors of `onEvent`.
  @discardableResult
  public func run(
    training: FaceManifest, validation: FaceManifest?, in folder: RunFolder,
    resuming: Bool = false, onEvent: (TrainingEvent) throws -> Void = { _ in }
  ) throws -> TrainingResult {
    if let problem = options.problem { throw TrainingError.unusable(problem: problem) }
    let copies =
      options.optimizer.slots + (options.ema == nil ? 0 : 1) + (options.swa == nil ? 0 : 1)
    let bytes = network.parameters.runBytes(copies: copies)
    guard network.head == nil else {
      return try SequenceTask.run(
        in: folder, resuming: resuming, bytes: bytes, checkpoints, onEvent: onEvent
      ) {
        if !options.endToEnd { try keepFrameNetwork(in: folder, resuming: resuming) }
        return try SequenceTask(self, training: training, validation: validation) {
          try onEvent(.preparing(done: $0, total: $1))
        }
      }
    }
    return try ClassifierTask.run(
      in: folder, resuming: resuming, bytes: bytes, checkpoints, onEvent: onEvent
    ) {
      try ClassifierTask(self, training: training, validation: validation)
    }
  }

  /// Writes the frozen network of a sequence into the run's folder, since the checkpoints do not
  /// have it; for a resumed run, reads it from there.
  private func keepFrameNetwork(in folder: RunFolder, resuming: Bool) throws {
    if resuming {
      try network.loadFrameNetwork(StateDict.read(folder.frameNetwork))
    } else {
      try network.frameState.write(safetensors: folder.frameNetwork)
    }
  }

  /// All settings that must be the same to resume a run.
  func fullIdentity(_ training: FaceManifest, _ validation: FaceManifest?) -> [String: String] {
    var result = identity
    for entry in options.entries {
      // The number of epochs may be raised later, unless the learning rate depends on it.
      if entry.key == "epochs", !options.schedule.dependsOnLength { continue }
      // Left out: it does not change the weights.
      if entry.key == "recompute" { continue }
      // Left out without fakes, so that older runs without this key can be resumed.
      if entry.key == "fakes", options.fakes == nil { continue }
      result["training.\(entry.key)"] = entry.value.text
    }
    let usesLater = network.input.difference != nil
    func words(_ data: FaceManifest) -> String {
      "\(data.count) samples, \(data.contentDigest(withLater: usesLater).prefix(16))"
    }
    result["training data"] = words(training)
    result["validation data"] = validation.map(words) ?? "none"
    let shapes = network.parameters.map { "\($0.key)\($0.shape)" }.joined(separator: "\n")
    result["network"] =
      "\(network.metadata.architecture ?? "own"), \(network.parameters.count) tensors,"
      + " \(SHA256.digits(of: Data(shapes.utf8)).prefix(16))"
    let input = network.input
    result["input"] =
      "\(input.size) pixels, mean \(input.mean), std \(input.std), \(input.channelOrder),"
      + " \(input.fit)"
    if let difference = input.difference {
      result["input.difference"] = "\(difference.seconds) s, \(difference.channels.rawValue)"
    }
    result["skips broken pictures"] = "\(skipsBroken)"
    return result
  }
}

extension FaceManifest {
  /// The SHA-256 of the samples' paths, labels and videos in order, of the landmarks from which
  /// fakes are made, of a teacher's probabilities, and of the paths of later crops if they are
  /// used.
  func contentDigest(withLater: Bool) -> String {
    let hash = SHA256()
    for row in table.rows {
      let video = table.words[row.video, default: ""]
      let points = row.isMade ? "\t\(table.points(row)?.numbers ?? [])" : ""
      let soft = row.isPseudoLabelled ? "\tp\(row.probability)" : ""
      let later = withLater ? "\t\(table.words[row.later, default: ""])" : ""
      var line = "\(table.path(row))\t\(row.label.word)\t\(video)\(points)\(soft)\(later)\n"
      line.withUTF8 { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return hash.digits()
  }
}
