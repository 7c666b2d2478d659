import Classifiers
import DeepfakeCore
import FaceData

/// Batches of face crops in order, decoded and augmented ahead of their consumer by threads of its
/// own.
///
/// What a batch holds depends on the options and the seed alone, not on the number of threads. At
/// most `ahead` batches are in memory beside the one that the consumer has.
///
/// ```swift
/// let order = try Sampler(manifest, order: .shuffled, seed: 1).indices(epoch: 0)
/// let options = FaceLoader.Options(batchSize: 20, input: InputSpec(size: 224))
/// let loader = FaceLoader(manifest, order: order, options)
/// while let batch = try loader.next() { print(batch.images.shape, batch.labels.scalars) }
/// ```
public final class FaceLoader {
  /// How samples become batches.
  public struct Options: Sendable {
    /// Samples in a batch.
    public var batchSize: Int
    /// What the network expects.
    public var input: InputSpec
    /// How crops are changed.
    public var augmentation: Augmentation
    /// How fakes are made where the manifest has such that are to be made.
    public var blending: SelfBlending
    /// Whether every other fake is made by changing the colours and the sharpness of all but the
    /// face, and every other picture that is not made is changed likewise, so that this tells
    /// nothing. Only where the order has made fakes.
    public var changesTones: Bool
    /// Times the input's size that crops are scaled down to, where they are larger, before they are
    /// changed.
    public var detail: Float
    /// What randomness depends on, beside the epoch, the place in the order and the sample.
    public var seed: UInt64
    /// The number of the epoch, from 1.
    public var epoch: Int
    /// Samples at the order's beginning that have been used already: where a run that was stopped
    /// goes on.
    public var start: Int
    /// Whether samples at the end that do not fill a batch are left out.
    public var dropsLast: Bool
    /// Whether pictures that cannot be used are left out of their batch and told in it, instead of
    /// ending the work.
    public var skipsBroken: Bool
    /// Threads that prepare batches.
    public var threads: Int
    /// Batches prepared ahead.
    public var ahead: Int

    /// Batches of some size for an input: no augmentation (of crops twice the input's size), from
    /// the first sample to the last, ended by a broken picture, prepared by as many threads as
    /// there are processors and three batches ahead.
    public init(batchSize: Int, input: InputSpec) {
      self.batchSize = batchSize
      self.input = input
      augmentation = .none
      blending = SelfBlending()
      changesTones = true
      detail = 2
      seed = 0
      epoch = 0
      start = 0
      dropsLast = false
      skipsBroken = false
      threads = Parallel.threadCount
      ahead = 3
    }
  }

  /// The number of batches in all, from `start` on.
  public let batchCount: Int
  private let queue: WorkQueue<Result<FaceBatch, DatasetError>>
  private var isOver = false

  /// A loader of the manifest's samples at the indices `order`, which starts to work at once.
  public init(_ manifest: FaceManifest, order: [Int], _ options: Options) {
    precondition(
      options.batchSize > 0 && options.threads > 0 && options.ahead > 0,
      "FaceLoader: batchSize \(options.batchSize), threads \(options.threads), ahead"
        + " \(options.ahead)"
    )
    precondition(
      options.start >= 0 && options.start <= order.count,
      "FaceLoader: start \(options.start) of \(order.count)")
    let left = order.count - options.start
    let size = options.batchSize
    batchCount = options.dropsLast ? left / size : left.dividedRoundingUp(by: size)
    let end = options.dropsLast ? options.start + batchCount * size : order.count
    let assembly = BatchAssembly(
      BatchMaker(manifest, order: order, options), slots: options.start..<end, batchSize: size)
    var settings = WorkQueue<Result<FaceBatch, DatasetError>>.Options(
      "loader", threads: min(options.threads, max(1, left)))
    settings.groupSize = size
    settings.ahead = options.ahead
    queue = WorkQueue(end - options.start, settings)
    queue.start { _ in { assembly.add($0) } }
  }

  deinit { queue.stop() }

  /// The next batch, waited for where it is not ready; nil after the last.
  ///
  /// - Throws: `DatasetError` of the first picture in order that cannot be used; nothing comes
  ///   after.
  public func next() throws(DatasetError) -> FaceBatch? {
    guard !isOver, case .outcome(_, let batch) = queue.next() else { return nil }
    if case .failure = batch { stop() }
    return try batch.get()
  }

  /// Stops the work. Threads end as soon as they have done the picture that they are at.
  public func stop() {
    isOver = true
    queue.stop()
  }
}

/// Some face crops as a network in training takes them.
public struct FaceBatch: Sendable {
  /// A picture that could not be used.
  public struct Skipped: Sendable {
    /// The sample's index in the manifest.
    public let index: Int
    /// What is wrong with its picture.
    public let error: DatasetError
  }

  /// [crops, size, size, 3], normalised; no crop where all were to be skipped.
  public let images: Tensor
  /// [crops], what the probability of "fake" should be: 0 or 1, or between them after mixup.
  public let labels: Tensor
  /// The samples' indices in the manifest.
  public let indices: [Int]
  /// What was to be in the batch and is not.
  public let skipped: [Skipped]
  /// How many samples of the order have been used up to here: where a loader that goes on begins.
  public let end: Int
}
