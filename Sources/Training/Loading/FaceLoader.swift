import Classifiers
import DeepfakeCore
import FaceData

/// Loads batches of face crops in order. Its own threads decode and augment them ahead of the
/// consumer.
///
/// A batch's content depends on the options and the seed alone, not on the number of threads. At
/// most `ahead` batches are in memory, in addition to the consumer's.
///
/// ```swift
/// let order = try Sampler(manifest, order: .shuffled, seed: 1).indices(epoch: 0)
/// let options = FaceLoader.Options(batchSize: 20, input: InputSpec(size: 224))
/// let loader = FaceLoader(manifest, order: order, options)
/// while let batch = try loader.next() { print(batch.images.shape, batch.labels.scalars) }
/// ```
public final class FaceLoader {
  /// Options of loading and changing samples.
  public struct Options: Sendable {
    /// Number of samples in a batch.
    public var batchSize: Int
    /// The network's input: size, normalisation, and how crops are fitted.
    public var input: InputSpec
    /// The random changes of crops.
    public var augmentation: Augmentation
    /// How fakes are made for the manifest's made samples.
    public var blending: SelfBlending
    /// Whether half of the made fakes have changed colours and sharpness outside the face. If so,
    /// half of the other pictures are changed alike, so that the change does not reveal fakes. It
    /// has an effect only with made fakes.
    public var changesTones: Bool
    /// Larger crops are first scaled down to this many times the input's size.
    public var detail: Float
    /// Random seed. Randomness also depends on the epoch, the place in the order and the sample.
    public var seed: UInt64
    /// Number of the epoch.
    public var epoch: Int
    /// The number of consecutive places of the order that belong to one clip. All pictures of a
    /// clip get the same random changes; 1: each picture gets its own.
    package var clipLength = 1
    /// Number of samples at the beginning of the order to skip, because a stopped run used them
    /// already.
    public var start: Int
    /// Whether the last samples are left out if they do not fill a batch.
    public var dropsLast: Bool
    /// Whether unreadable pictures are left out and listed in their batch; otherwise they end the
    /// loading.
    public var skipsBroken: Bool
    /// Number of threads that prepare batches.
    public var threads: Int
    /// Number of batches prepared ahead.
    public var ahead: Int

    /// The default options: no augmentation, `detail` 2, all samples from the first to the last, an
    /// unreadable picture ends the loading, a thread for each processor, three batches ahead.
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

  /// Number of batches from `start` on.
  public let batchCount: Int
  private let queue: WorkQueue<Result<FaceBatch, DatasetError>>
  private var isOver = false

  /// Starts to load the manifest's samples with the indices `order`.
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

  /// Waits for the next batch; nil after the last.
  ///
  /// - Throws: `DatasetError` for the first picture, in order, that cannot be used. No batch
  ///   follows.
  public func next() throws(DatasetError) -> FaceBatch? {
    guard !isOver, case .outcome(_, let batch) = queue.next() else { return nil }
    if case .failure = batch { stop() }
    return try batch.get()
  }

  /// Stops the work. Each thread first finishes its current picture.
  public func stop() {
    isOver = true
    queue.stop()
  }
}

/// A batch of face crops for training.
public struct FaceBatch: Sendable {
  /// A picture that was left out because it could not be used.
  public struct Skipped: Sendable {
    /// The sample's index in the manifest.
    public let index: Int
    /// Why the picture could not be used.
    public let error: DatasetError
  }

  /// [crops, size, size, channels], normalised; three channels, or more if the input has a
  /// difference. Without crops if all were left out.
  public let images: Tensor
  /// [crops]: the target probabilities of "fake", 0 or 1, or between them after mixup or where a
  /// teacher gave the probability.
  public let labels: Tensor
  /// The samples' indices in the manifest.
  public let indices: [Int]
  /// Pictures of this batch that were left out.
  public let skipped: [Skipped]
  /// Number of samples of the order used up to the end of this batch: the `start` of a loader that
  /// continues here.
  public let end: Int
}
