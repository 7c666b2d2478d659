import DeepfakeCore
import Foundation

/// A network to train with its data, evaluation and file format. This is where classifiers,
/// embedders and detectors differ; `TrainingLoop` does everything else.
protocol TrainingTask: AnyObject {
  associatedtype Batch: TrainingBatch
  /// The network's output for a batch.
  associatedtype Output

  /// The options that the loop uses: epochs, accumulation, seed, clipping, averages, early stop,
  /// and frozen parameters.
  var options: TrainingOptions { get }
  /// The network's parameters, with the keys used in checkpoints.
  var store: ParameterStore { get }
  /// Settings that must be the same to resume a run, by key. Values are texts for the user.
  var identity: [String: String] { get }
  /// Numbers of training and validation samples.
  var sampleCounts: (training: Int, validation: Int) { get }
  /// Number of images in a batch. The last batch may be smaller.
  var batchSize: Int { get }
  /// Names of the terms of the loss; empty if it has only one.
  var lossParts: [String] { get }
  /// The title of the run's plot, and the line below it.
  var plotTitle: (title: String, subtitle: String) { get }

  /// Number of images in an epoch on a part of the data.
  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int
  /// A new optimiser, without state.
  func makeOptimizer(of parameters: [Parameter]) -> any Optimizer
  /// The learning rate schedule of the whole run.
  func makeSchedule(stepsPerEpoch: Int) -> any LearningRateSchedule

  /// The batches of an epoch, starting at a position in it. Epochs are counted from 1. The batches
  /// must depend on these arguments alone.
  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<Batch>
  /// Runs the network on a batch.
  func output(_ batch: Batch, _ context: TrainingContext) -> Output
  /// The loss, a scalar, and the values of its terms as named in `lossParts`.
  func loss(_ output: Output, _ batch: Batch) -> (loss: Tensor, parts: [Float])
  /// Paths of a batch's pictures, for messages; empty if they are unknown.
  func files(of batch: Batch, in part: EpochMetrics.Part) -> [String]

  /// Evaluates the current network on the validation part; nil if there is none.
  ///
  /// - Throws: `NonFiniteOutput`, `ValidationCancelled`, `TrainingError`, and errors of
  ///   `onProgress`.
  func validate(_ onProgress: (_ done: Int, _ total: Int) throws -> Void) throws
    -> ValidationScores.Result?
  /// Measures the running statistics of averaged weights, which training has never seen.
  ///
  /// - Throws: `ValidationCancelled`, `DatasetError`.
  func measureStatistics(epoch: Int) throws
  /// Writes the weights in the format that the network's users read.
  ///
  /// - Parameter entries: Metadata to write in addition to the description of the network.
  func write(_ url: URL, entries: [String: String]) throws
  /// Loads weights that `write` wrote.
  func load(_ state: StateDict) throws
}

/// Defaults: batches, optimiser and schedule by the options, no loss terms, no known files and no
/// validation part.
extension TrainingTask {
  var batchSize: Int { options.batchSize }
  var lossParts: [String] { [] }

  func makeOptimizer(of parameters: [Parameter]) -> any Optimizer {
    options.optimizer.optimizer(of: parameters)
  }

  func makeSchedule(stepsPerEpoch: Int) -> any LearningRateSchedule {
    options.schedule.schedule(
      from: options.optimizer.learningRate, epochs: options.epochs, stepsPerEpoch: stepsPerEpoch)
  }

  func files(of batch: Batch, in part: EpochMetrics.Part) -> [String] { [] }

  func validate(
    _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> ValidationScores.Result? { nil }

  func measureStatistics(epoch: Int) throws {}
}

/// The images of which one gradient is computed.
protocol TrainingBatch {
  /// Number of images; 0 if all had to be left out.
  var count: Int { get }
  /// The position in the epoch at the batch's end.
  var end: Int { get }
  /// Messages for the user about this batch.
  var notes: [String] { get }
}

/// The batches of an epoch in order, starting at some position.
struct BatchSource<Batch> {
  /// The position at the epoch's end.
  let total: Int
  /// The next batch; nil after the last.
  let next: () throws -> Batch?
  /// Stops the preparation of further batches.
  var stop: () -> Void = {}
}

/// Thrown by a validation whose output is not finite, with the pictures of the batch.
struct NonFiniteOutput: Error {
  let files: [String]
}

/// Thrown by a cancelled validation. The loop then writes a checkpoint before it ends.
struct ValidationCancelled: Error {}

/// When a run writes checkpoints, in addition to the end of each epoch.
package struct CheckpointTimes: Sendable, Equatable {
  /// The longest time between two checkpoints.
  package var interval: Duration = .seconds(600)
  /// Number of steps between two checkpoints; nil: only `interval` counts.
  package var steps: Int?

  /// A checkpoint every ten minutes.
  package init() {}
}

extension TrainingTask {
  /// Runs a task in a folder, from the beginning or from the folder's checkpoint.
  ///
  /// - Parameters:
  ///   - bytes: Approximate size of the run's files on disk.
  ///   - makeTask: Makes the task. It is called after the folder is locked.
  /// - Throws: `TrainingError`, errors of the task, and `CancellationError` after a checkpoint was
  ///   written.
  static func run(
    in folder: RunFolder, resuming: Bool, bytes: Int, _ checkpoints: CheckpointTimes,
    onEvent: (TrainingEvent) throws -> Void, makeTask: () throws -> Self
  ) throws -> TrainingResult {
    let lock = try folder.prepare(resuming: resuming, bytes: resuming ? 0 : bytes)
    return try withExtendedLifetime(lock) {
      try withoutActuallyEscaping(onEvent) { onEvent in
        try TrainingLoop(try makeTask(), folder, checkpoints, onEvent).run(resuming: resuming)
      }
    }
  }
}

extension [Parameter] {
  /// The approximate maximum size of a run's files, in bytes. For each parameter, the optimiser and
  /// averages keep `copies` tensors in addition to its value.
  func runBytes(copies: Int) -> Int {
    let weights = reduce(0) { $0 + $1.shape.reduce(4, *) }
    // A file is replaced by a complete new one, so both exist for a while.
    return weights * (2 * (1 + copies) + 4) + 10_000_000
  }
}
