import DeepfakeCore
import FaceData
import FaceDetect
import Foundation

/// A run that trains RetinaFace with the mobilenet0.25 backbone on composed scenes: step by step, and to be gone on
/// with from a file.
///
/// A run depends on the options and the data alone, not on the number of threads.
public struct DetectorTraining: Sendable {
  /// How it learns.
  public struct Options: Sendable, Equatable {
    /// Optimiser steps.
    public var steps = 8000
    /// Scenes a step.
    public var batch = 8
    /// The sides of most scenes in pixels. Small ones cost less, but what large anchors see in the middle of a
    /// frame is then never learned. In three steps of ten, there are a quarter as many scenes of twice
    /// the size.
    public var size = 320
    /// The highest learning rate of AdamW; it rises for a twentieth of the steps and falls along a cosine.
    public var learningRate: Float = 3e-3
    /// How strongly weights are drawn to 0.
    public var weightDecay: Float = 0.01
    /// What the gradient's norm is clipped to.
    public var clip: Float = 10
    /// The part of the averaged weights that a step keeps; the averages are what is saved.
    public var averageDecay: Float = 0.998
    /// Where all randomness comes from.
    public var seed: UInt64 = 0

    /// The defaults; `Docs/Detectors.md` says what the shipped weights were trained with.
    public init() {}
  }

  /// How far a run is.
  public struct Progress: Sendable, Equatable {
    /// Steps done.
    public var step: Int
    /// The parts of the last step's loss: cross-entropy, and smooth L1 of boxes and landmarks.
    public var classes, boxes, landmarks: Float
    /// What was made small: their sum, boxes counting twice.
    public var loss: Float
    /// The rate of the last step.
    public var learningRate: Float
    /// Scenes of the last step.
    public var scenes: Int
  }

  /// How it learns.
  public let options: Options
  /// Steps done.
  public private(set) var step = 0

  private let faces: LabelledFaces
  private let store = ParameterStore()
  private let network: PlainRetinaFace
  private let learned: [Parameter]
  private var loss: MultiBoxLoss
  private let isFresh: Bool
  private let schedule: CosineDecay
  private var optimizer: AdamW
  private var average: ExponentialMovingAverage

  /// A run from the seed, or from weights that have learned something already.
  ///
  /// - Parameter start: A RetinaFace's weights; nil for those of the seed.
  /// - Throws: `WeightsError` where `start` is another network's.
  public init(
    _ faces: LabelledFaces, _ options: Options = Options(), from start: StateDict? = nil
  ) throws(WeightsError) {
    self.faces = faces
    self.options = options
    isFresh = start == nil
    network = PlainRetinaFace(.mobileNet, store.root)
    network.initialize(store, seed: options.seed)
    if let start { try PlainRetinaFace.load(start, into: store) }
    learned = store.parameters.filter { $0.role != .statistic }
    optimizer = AdamW(groups: .decayingWeights(options.weightDecay))
    average = ExponentialMovingAverage(decay: options.averageDecay, warmsUp: true)
    schedule = CosineDecay(
      options.learningRate, steps: max(2, options.steps), warmUpSteps: options.steps / 20)
    var loss = MultiBoxLoss()
    loss.fewestNegatives = 64
    loss.matching.leastIgnored = 0.25
    loss.landmarkWeight = 0.4
    self.loss = loss
  }

  /// One step.
  ///
  /// - Throws: `DatasetError` of a picture that cannot be read, `TrainingError` where the loss is no number; nothing
  ///   has changed then.
  public mutating func advance() throws -> Progress {
    let scenes = try scenes(step)
    // At first, when all anchors look alike, the hardest of the background are no better than any.
    let done = Float(step) / Float(options.steps)
    loss.hardness = isFresh ? min(max((done - 0.03) / 0.17, 0), 1) : 1
    let images = Tensor(images: scenes.map(\.image), normalization: RetinaFace.normalization)
    let context = TrainingContext(seed: options.seed, step: step)
    var parts: MultiBoxLoss.Parts?
    var (value, gradients) = valueAndGrad(of: learned) {
      let result = loss(network(images, .training(context)), scenes: scenes)
      parts = result.parts
      return result.loss
    }
    let norm = gradients.clip(toNorm: options.clip)
    guard let parts, value.isFinite, norm.isFinite else {
      throw TrainingError.unusable(
        problem: "training diverged in step \(step + 1): the loss or its gradient is no number;"
          + " try a lower learning rate")
    }
    optimizer.learningRate = schedule.rate(at: TrainingTime(step: step))
    optimizer.step(learned, gradients)
    for (key, statistic) in context.recorded { store[key]?.value = statistic }
    average.update(store.parameters)
    step += 1
    return Progress(
      step: step, classes: parts.classes, boxes: parts.boxes, landmarks: parts.landmarks,
      loss: value, learningRate: optimizer.learningRate, scenes: scenes.count)
  }

  /// The scenes of a step.
  ///
  /// - Throws: `DatasetError` of the first picture that cannot be read.
  public func scenes(_ step: Int) throws(DatasetError) -> [DetectionScene] {
    var generator = SeededGenerator(seed: options.seed, label: "scenes \(step)")
    let isLarge = generator.uniform() < 0.3
    let composer = SceneComposer(faces: faces, size: isLarge ? 2 * options.size : options.size)
    let count = isLarge ? max(1, options.batch / 4) : options.batch
    let results = Parallel.map(count) { place in
      Result { () throws(DatasetError) in
        var generator = SeededGenerator(seed: options.seed, label: "scene \(step) \(place)")
        return try composer.scene(using: &generator)
      }
    }
    var scenes: [DetectionScene] = []
    for result in results { scenes.append(try result.get()) }
    return scenes
  }

  /// The averaged weights under the published keys, with what says what they are.
  ///
  /// - Parameter data: The SHA-256 of the data's manifest, where there is one.
  public func weights(data: String? = nil) -> StateDict {
    var metadata = ModelMetadata()
    metadata.architecture = "retinaface-\(RetinaFaceBackbone.mobileNet.rawValue)"
    metadata.scheme = "retinaface"
    metadata.norm = .batch
    metadata.manifestSHA256 = data
    metadata.recipe =
      "seed \(options.seed), \(step) of \(options.steps) steps of \(options.batch) scenes"
    return average.withAverages(in: store.parameters) {
      store.stateDict(metadata: metadata.entries)
    }
  }
}

// MARK: Going on

extension DetectorTraining {
  /// How far a run has come, its tensors aside.
  struct State: CheckpointState, Equatable {
    var step: Int
    /// Lines of the log so far.
    var log: [String]

    var problem: String? {
      (0...1 << 32).contains(step) ? nil : "its step cannot be \(step)"
    }
  }

  /// What must be the same for a run to go on.
  private func identity(_ data: String) -> [String: String] {
    [
      "data": data, "steps": "\(options.steps)", "batch": "\(options.batch)",
      "size": "\(options.size)", "rate": "\(options.learningRate)",
      "decay": "\(options.weightDecay)", "clip": "\(options.clip)",
      "average": "\(options.averageDecay)", "seed": "\(options.seed)", "fresh": "\(isFresh)",
    ]
  }

  /// Writes all that the run goes on from.
  ///
  /// - Parameters:
  ///   - log: Lines to be handed back by `restore`.
  ///   - data: What stands for the data.
  /// - Throws: `WeightsError`.
  public func save(_ url: URL, log: [String], data: String) throws(WeightsError) {
    var weights: [String: Tensor] = [:]
    for parameter in store.parameters { weights[parameter.key] = parameter.value }
    try CheckpointFile(
      state: State(step: step, log: log), identity: identity(data), weights: weights,
      optimizer: optimizer.state, ema: average.averages.state, swa: [:]
    ).write(url)
  }

  /// Goes on where a run was saved: bit for bit as if it had not been stopped.
  ///
  /// - Returns: The lines of the log.
  /// - Throws: `TrainingError`, `OptimizerStateError` where the file does not fit; nothing has changed then.
  public mutating func restore(_ url: URL, data: String) throws -> [String] {
    let checkpoint = try CheckpointFile<State>.read(url)
    let differences = CheckpointFile<State>.differences(checkpoint.identity, identity(data))
    guard differences.isEmpty else {
      throw TrainingError.changed(
        folder: url.deletingLastPathComponent().relativePath, differences: differences)
    }
    for parameter in store.parameters {
      guard checkpoint.weights[parameter.key]?.shape == parameter.shape else {
        throw TrainingError.damaged(
          file: url.relativePath, reason: "\(parameter.key) is missing or has another shape")
      }
    }
    var (optimizer, average) = (optimizer, average)
    try optimizer.restore(checkpoint.optimizer, for: learned, file: url.relativePath)
    try average.averages.restore(
      checkpoint.ema, for: store.parameters, file: url.relativePath)
    for parameter in store.parameters {
      if let value = checkpoint.weights[parameter.key] { parameter.value = value }
    }
    (self.optimizer, self.average, step) = (optimizer, average, checkpoint.state.step)
    return checkpoint.state.log
  }
}
