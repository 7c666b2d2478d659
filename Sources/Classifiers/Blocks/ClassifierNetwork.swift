import DeepfakeCore

/// A network that classifies images: stages of layers, a pooling, and a last layer that is fully
/// connected. Every family of classifiers is this type; what differs are the layers.
///
/// ```swift
/// let network = ClassifierSettings(.efficientNetB0).makeNetwork()
/// network.store.initialize(seed: 1)
/// let logits = network(images)  // [batch, classCount]
/// let fast = network.packed()  // the same layers, for inference
/// ```
public struct ClassifierNetwork: Module {
  /// The parameters, under the network's own keys.
  public let store: ParameterStore
  /// Numbers that the network gives an image.
  public let classCount: Int
  /// Numbers that the last layer sees of an image.
  public let featureCount: Int
  /// The keys of the last layer's parameters, its weight first.
  let lastKeys: [String]

  private let stages: [[any Module]]
  private let pooling: any Module
  private let dropout: any Module
  private let last: any Module
  private let batchedStage: @Sendable (_ height: Int, _ width: Int) -> Int
  private let isPacked: Bool

  /// A network without weights: load some, or initialise its store.
  ///
  /// - Parameters:
  ///   - store: Where all layers declared their parameters.
  ///   - stages: The layers that work on maps, [batch, height, width, channels]: the stem, each
  ///     stage of blocks, and a head. All but the first and the last are computed again in a
  ///     training step that saves memory (`TrainingContext.recomputesBlocks`).
  ///   - pooling: From the last maps to what the last layer sees, [batch, features]; nil for the
  ///     mean of each map.
  ///   - dropout: Before the last layer.
  ///   - batchedStage: The first stage that a batch of images of that size passes through at once
  ///     at inference; each image passes through those before by itself (`Tensor.imageByImage`).
  public init(
    store: ParameterStore, stages: [[any Module]], pooling: (any Module)? = nil,
    dropout: Dropout, last: Linear,
    batchedStage: @escaping @Sendable (_ height: Int, _ width: Int) -> Int = { _, _ in .max }
  ) {
    self.init(
      store: store, classCount: last.weight.shape[1], featureCount: last.weight.shape[0],
      lastKeys: [last.weight, last.bias].compactMap { $0?.key }, stages: stages,
      pooling: pooling ?? FunctionLayer { $0.globalAveragePool() }, dropout: dropout, last: last,
      batchedStage: batchedStage, isPacked: false)
  }

  private init(
    store: ParameterStore, classCount: Int, featureCount: Int, lastKeys: [String],
    stages: [[any Module]], pooling: any Module, dropout: any Module, last: any Module,
    batchedStage: @escaping @Sendable (_ height: Int, _ width: Int) -> Int, isPacked: Bool
  ) {
    precondition(!stages.isEmpty, "ClassifierNetwork: there are no stages")
    self.store = store
    self.classCount = classCount
    self.featureCount = featureCount
    self.lastKeys = lastKeys
    self.stages = stages
    self.pooling = pooling
    self.dropout = dropout
    self.last = last
    self.batchedStage = batchedStage
    self.isPacked = isPacked
  }

  /// The network for inference: weights packed, norms folded in. This network's parameters are
  /// released one by one, so that there is never a second copy of them all.
  public func packed() -> ClassifierNetwork {
    ClassifierNetwork(
      store: store, classCount: classCount, featureCount: featureCount, lastKeys: lastKeys,
      stages: stages.map { $0.map { $0.forInference() } }, pooling: pooling.forInference(),
      dropout: dropout, last: last.forInference(), batchedStage: batchedStage, isPacked: true)
  }

  /// Outputs, [batch, classCount], for x of [batch, height, width, 3].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    logits(pooled: pooled(x, mode), mode)
  }

  /// What the network sees at each depth: the maps after each stage.
  public func maps(_ x: Tensor, _ mode: Mode = .inference) -> [Tensor] {
    var maps: [Tensor] = []
    for stage in stages.indices { maps.append(run(stage..<stage + 1, maps.last ?? x, mode)) }
    return maps
  }

  /// The maps that are pooled, [batch, height, width, channels].
  public func features(_ x: Tensor, _ mode: Mode = .inference) -> Tensor {
    guard isPacked else { return run(stages.indices, x, mode) }
    let split = min(max(batchedStage(x.shape[1], x.shape[2]), 0), stages.count)
    let early = split == 0 ? x : x.imageByImage { run(0..<split, $0, mode) }
    return run(split..<stages.count, early, mode)
  }

  /// What the last layer sees, [batch, featureCount].
  public func pooled(_ x: Tensor, _ mode: Mode = .inference) -> Tensor {
    pooling(features(x, mode), mode)
  }

  /// The outputs, [batch, classCount], for what the last layer sees.
  public func logits(pooled: Tensor, _ mode: Mode = .inference) -> Tensor {
    last(dropout(pooled, mode), mode)
  }

  /// The outputs that the maps of a depth lead to: the rest of the network.
  public func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    let features = run(min(depth + 1, stages.count)..<stages.count, map, mode)
    return logits(pooled: pooling(features, mode), mode)
  }

  private func run(_ range: Range<Int>, _ x: Tensor, _ mode: Mode) -> Tensor {
    range.reduce(x) { x, stage in
      let isBlocks = stage > 0 && stage < stages.count - 1
      return stages[stage].reduce(x) { isBlocks ? $1.asBlock($0, mode) : $1($0, mode) }
    }
  }
}
