import DeepfakeCore
import Foundation

/// What is trained, on what, and how it is judged and kept: where classifiers, embedders and
/// detectors differ. `TrainingLoop` does everything else.
protocol TrainingTask: AnyObject {
  associatedtype Batch: TrainingBatch
  /// What the network makes of a batch.
  associatedtype Output

  /// Epochs, accumulation, seed, clipping, averages, early stop and what is frozen: what the loop
  /// goes by.
  var options: TrainingOptions { get }
  /// The network's parameters, under the keys that checkpoints have.
  var store: ParameterStore { get }
  /// What must be the same for a run to go on, by key, as people read it.
  var identity: [String: String] { get }
  /// The number of samples to learn from, and to judge by.
  var sampleCounts: (training: Int, validation: Int) { get }
  /// Images in a batch, unless the last one is smaller.
  var batchSize: Int { get }
  /// The names of the losses that the loss is the sum of; empty where there is one only.
  var lossParts: [String] { get }
  /// The title of the run's curves, and the line below it.
  var plotTitle: (title: String, subtitle: String) { get }

  /// Images that an epoch of a part of the data shows.
  func imagesPerEpoch(_ part: EpochMetrics.Part) -> Int
  /// An optimiser that remembers nothing yet.
  func makeOptimizer(of parameters: [Parameter]) -> any Optimizer
  /// The schedule of the learning rate from the first step on.
  func makeSchedule(stepsPerEpoch: Int) -> any LearningRateSchedule

  /// The batches of an epoch, counted from 1, from a position on. They depend on nothing else.
  func batches(
    of part: EpochMetrics.Part, epoch: Int, from position: Int
  ) throws -> BatchSource<Batch>
  /// Runs the network on a batch.
  func output(_ batch: Batch, _ context: TrainingContext) -> Output
  /// The loss, a scalar, and the values of `lossParts`.
  func loss(_ output: Output, _ batch: Batch) -> (loss: Tensor, parts: [Float])
  /// The pictures of a batch, for messages; empty where they are not known.
  func files(of batch: Batch, in part: EpochMetrics.Part) -> [String]

  /// Judges the validation part with the network as it is; nil where there is none.
  ///
  /// - Throws: `NonFiniteOutput`, `ValidationCancelled`, `TrainingError`, what `onProgress` throws.
  func validate(_ onProgress: (_ done: Int, _ total: Int) throws -> Void) throws
    -> ValidationScores.Result?
  /// Measures the running statistics of averaged weights anew, as nobody has seen them in training.
  ///
  /// - Throws: `ValidationCancelled`, `DatasetError`.
  func measureStatistics(epoch: Int) throws
  /// Writes the weights as the network's users read them.
  ///
  /// - Parameter entries: Metadata to write beside what says what the network is.
  func write(_ url: URL, entries: [String: String]) throws
  /// Takes on weights that `write` wrote.
  func load(_ state: StateDict) throws
}

/// What a task without parts of its loss, known files or a validation part need not say.
extension TrainingTask {
  var lossParts: [String] { [] }

  func files(of batch: Batch, in part: EpochMetrics.Part) -> [String] { [] }

  func validate(
    _ onProgress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> ValidationScores.Result? { nil }

  func measureStatistics(epoch: Int) throws {}
}

/// What one gradient is taken of.
protocol TrainingBatch {
  /// Images to learn from; 0 where all of them had to be left out.
  var count: Int { get }
  /// How much of the epoch has been used up to the batch's end.
  var end: Int { get }
  /// What whoever trains should know of the batch.
  var notes: [String] { get }
}

/// The batches of an epoch in order, from some position on.
struct BatchSource<Batch> {
  /// The position at the epoch's end.
  let total: Int
  /// The next batch; nil after the last.
  let next: () throws -> Batch?
  /// Ends the work on batches ahead.
  var stop: () -> Void = {}
}

/// Thrown by a validation in which the network's output is not finite, with the batch's pictures.
struct NonFiniteOutput: Error {
  let files: [String]
}

/// Thrown by a validation that was interrupted: what was learned before is saved first.
struct ValidationCancelled: Error {}

/// When a run saves what it would go on from, beside the end of each epoch.
package struct CheckpointTimes: Sendable, Equatable {
  /// The longest time between two checkpoints.
  package var interval: Duration = .seconds(600)
  /// Steps between two checkpoints, if not only time decides.
  package var steps: Int?

  /// Every ten minutes.
  package init() {}
}

extension TrainingTask {
  /// Runs a task in a folder, from the beginning or from the folder's checkpoint.
  ///
  /// - Parameters:
  ///   - bytes: About what the run's files take on the disk.
  ///   - makeTask: Makes the task as soon as the folder is this run's.
  /// - Throws: `TrainingError`, what the task throws, `CancellationError` after a checkpoint was
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
  /// About the bytes that a run's files take at their most, where `copies` tensors are remembered
  /// for each parameter beside its value.
  func runBytes(copies: Int) -> Int {
    let weights = reduce(0) { $0 + $1.shape.reduce(4, *) }
    // A file is replaced by one that is complete, so that both are there for a while.
    return weights * (2 * (1 + copies) + 4) + 10_000_000
  }
}
