import DeepfakeCore
import FaceData
import Settings

/// A trainer of a network that judges no deepfakes and needs no recipe: a face detector, or an
/// embedder that tells which faces look alike.
///
/// A run lives in a folder, as a `Trainer`'s does. The weights depend on the options and the data
/// alone, not on the number of threads nor on interruptions.
package protocol FaceTrainer: Sendable {
  associatedtype Options: FaceTrainerOptions

  /// The name of the network's kind, which is also that of its command.
  static var name: String { get }
  /// The pictures to learn from and those held out.
  static func split(_ faces: FaceManifest) throws(DatasetError) -> DataSplit

  /// A trainer on some pictures.
  ///
  /// - Throws: `DatasetError` where the pictures lack what the network has to learn.
  init(_ faces: FaceManifest, _ options: Options) throws(DatasetError)

  /// When checkpoints are written, beside the one at each epoch's end.
  var checkpoints: CheckpointTimes { get set }
  /// Whether a run that is resumed without its initial weights began with random ones.
  var startsFromSeed: Bool { get set }

  /// Trains until the options' steps are done. In a cancelled task, it writes a checkpoint and
  /// throws `CancellationError`.
  ///
  /// - Parameters:
  ///   - start: Initial weights of the same network; nil: random ones from the seed.
  ///   - folder: The run's folder.
  ///   - resuming: Whether to continue the run in the folder.
  ///   - onEvent: Is told of every step and epoch, on the calling thread.
  /// - Throws: `TrainingError`, `DatasetError` of a picture that cannot be read, `WeightsError`
  ///   where `start` belongs to another network, and what `onEvent` throws.
  @discardableResult
  func run(
    from start: StateDict?, in folder: RunFolder, resuming: Bool,
    onEvent: (TrainingEvent) throws -> Void
  ) throws -> TrainingResult
}

/// How a `FaceTrainer` learns.
package protocol FaceTrainerOptions: Described, Sendable, Equatable {
  /// The usual settings.
  init()
}

extension FaceTrainerOptions {
  /// The settings as texts, by key.
  package var texts: [String: String] {
    Dictionary(entries.map { ($0.key, $0.value.text) }) { first, _ in first }
  }

  /// What must be the same for a run to go on.
  ///
  /// - Parameter data: The hash of the manifest.
  func identity(data: String, startsFromSeed: Bool) -> [String: String] {
    var identity = texts
    identity["data"] = data
    identity["fresh"] = "\(startsFromSeed)"
    return identity
  }
}
