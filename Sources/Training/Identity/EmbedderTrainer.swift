import Classifiers
import DeepfakeCore
import FaceData
import Foundation

/// Trains a `LookAlikeNetwork` on pictures of which it is known which show one face.
///
/// A run is short and not resumed. It depends on the seed and the data alone, not on the number of threads.
public struct EmbedderTrainer: Sendable {
  /// How it learns.
  public struct Options: Sendable, Equatable {
    /// Optimiser steps.
    public var steps = 1500
    /// Pairs of views a step.
    public var pairs = 128
    /// The highest learning rate of AdamW; it rises for a twentieth of the steps and falls along a cosine.
    public var learningRate: Float = 2e-3
    /// How strongly weights are drawn to 0.
    public var weightDecay: Float = 0.02
    /// What similarities are divided by in the loss.
    public var temperature: Float = 0.1
    /// What the gradient's norm is clipped to.
    public var clip: Float = 1
    /// The side of the network's input in pixels.
    public var size = LookAlikeNetwork.nativeSize
    /// Where all randomness comes from.
    public var seed: UInt64 = 0
    /// Threads that prepare pictures.
    public var loaderThreads = 1

    /// What the shipped weights were trained with.
    public init() {}
  }

  /// How far a run is.
  public struct Progress: Sendable, Equatable {
    /// Steps done.
    public var step: Int
    /// Steps in all.
    public var steps: Int
    /// The loss of the last step.
    public var loss: Double
    /// The rate of the last step.
    public var learningRate: Float
    /// Views a second since the beginning.
    public var viewsPerSecond: Double
  }

  /// How it learns.
  public var options: Options

  /// A trainer.
  public init(_ options: Options = Options()) {
    self.options = options
  }

  /// Trains a network from the seed, or one that has learned something already.
  ///
  /// - Parameters:
  ///   - start: a network's weights to start from; nil for those of the seed.
  ///   - onStep: hears of every step; the network is as it is after it.
  /// - Throws: `DatasetError` of a picture that cannot be read, `TrainingError` where there is too little to
  ///   learn from or the loss is no number, `WeightsError` where `start` is another network's,
  ///   `CancellationError`, what `onStep` throws.
  public func train(
    _ data: IdentityData, from start: StateDict? = nil,
    onStep: (Progress, LookAlikeNetwork) throws -> Void = { _, _ in }
  ) throws -> LookAlikeNetwork {
    guard data.people.count > 1 else {
      throw TrainingError.unusable(
        problem: "the data names \(data.people.count) people; to tell faces apart takes at least"
          + " two different names in the column person")
    }
    let network = LookAlikeNetwork()
    if let start {
      try network.store.load(start)
    } else {
      network.store.initialize(seed: options.seed)
    }
    let parameters = network.store.parameters.filter { $0.role != .statistic }
    var optimizer = AdamW(groups: .decayingWeights(options.weightDecay))
    let schedule = CosineDecay(
      options.learningRate, steps: max(2, options.steps), warmUpSteps: options.steps / 20)
    let loss = ContrastiveLoss(temperature: options.temperature)
    let begin = ContinuousClock.now
    var views = ViewStream(ViewPlan(data: data, seed: options.seed), options)
    for step in 0..<options.steps {
      try Task.checkCancellation()
      let batch = try views.next()
      let context = TrainingContext(seed: options.seed, step: step)
      var (value, gradients) = valueAndGrad(of: parameters) {
        loss(network(batch.images, .training(context)), faces: batch.faces)
      }
      let norm = gradients.clip(toNorm: options.clip)
      guard value.isFinite, norm.isFinite else {
        throw TrainingError.unusable(
          problem: "training diverged in step \(step + 1): the loss or its gradient is no"
            + " number; try a lower learning rate")
      }
      optimizer.learningRate = schedule.rate(at: TrainingTime(step: step))
      optimizer.step(parameters, gradients)
      for (key, statistic) in context.recorded { network.store[key]?.value = statistic }
      let seconds = (ContinuousClock.now - begin) / .seconds(1)
      try onStep(
        Progress(
          step: step + 1, steps: options.steps, loss: Double(value),
          learningRate: optimizer.learningRate,
          viewsPerSecond: Double((step + 1) * 2 * options.pairs) / max(seconds, 1e-9)), network)
    }
    return network
  }
}

/// Batches of views, epoch after epoch.
private struct ViewStream {
  struct Batch {
    var images: Tensor
    var faces: [FaceIdentity]
  }

  /// Times the input's size that pictures have while they are changed: most views are parts of them.
  private static let detail: Float = 1.75

  private let plan: ViewPlan
  private let options: EmbedderTrainer.Options
  private var epoch = 0
  private var order: [Int] = []
  private var used = 0
  private var loader: FaceLoader?

  init(_ plan: ViewPlan, _ options: EmbedderTrainer.Options) {
    self.plan = plan
    self.options = options
  }

  mutating func next() throws -> Batch {
    while true {
      if let batch = try loader?.next() {
        let slots = used..<used + batch.indices.count
        used = slots.upperBound
        // Both views of a pair are of the first one's face.
        let faces = slots.map { plan.data.face(order[$0 / 2 * 2]) }
        return Batch(images: batch.images, faces: faces)
      }
      begin()
    }
  }

  private mutating func begin() {
    loader?.stop()
    order = plan.samples(epoch: epoch)
    used = 0
    var settings = FaceLoader.Options(
      batchSize: min(2 * options.pairs, order.count),
      input: LookAlikeEmbedder.input(size: options.size))
    settings.augmentation = .views
    settings.detail = Self.detail
    settings.seed = options.seed
    settings.epoch = epoch
    settings.dropsLast = true
    settings.threads = options.loaderThreads
    loader = FaceLoader(plan.data.manifest, order: order, settings)
    epoch += 1
  }
}
