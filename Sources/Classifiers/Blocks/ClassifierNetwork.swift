import DeepfakeCore

/// A network that classifies images: stages of layers, a pooling and a fully connected last layer.
/// All families of classifiers use this type; they differ in the layers that they pass to it.
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
  /// Number of outputs per image: the last axis of the logits.
  public let classCount: Int
  /// Number of pooled features per image: the input width of the last layer.
  public let featureCount: Int
  /// Keys of the last layer's parameters: the weight, then the bias if there is one.
  let lastKeys: [String]

  private let stages: [[any Module]]
  private let pooling: any Module
  private let dropout: any Module
  private let last: any Module
  private let batchedStage: @Sendable (_ height: Int, _ width: Int) -> Int
  private let isPacked: Bool

  /// Creates a network without weights. Load a checkpoint or initialise `store` before use.
  ///
  /// - Parameters:
  ///   - store: The store in which all layers declared their parameters.
  ///   - stages: The layers that work on maps, [batch, height, width, channels]: the stem, the
  ///     stages of blocks, and the head. With `TrainingContext.recomputesBlocks`, a training step
  ///     saves memory by computing all stages but the first and the last a second time.
  ///   - pooling: Turns the last maps into the input of the last layer, [batch, features]; nil:
  ///     global average pooling.
  ///   - dropout: The dropout before the last layer.
  ///   - last: The last layer; its weight's shape gives `featureCount` and `classCount`.
  ///   - batchedStage: For an input height and width, the index of the first stage that processes
  ///     the whole batch at once at inference. The stages before it process one image at a time
  ///     (`Tensor.imageByImage`).
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

  /// The network for inference: weights are packed and batch norms folded into them. Packing
  /// releases this network's parameters one by one, so two copies of all weights never exist at the
  /// same time.
  public func packed() -> ClassifierNetwork {
    ClassifierNetwork(
      store: store, classCount: classCount, featureCount: featureCount, lastKeys: lastKeys,
      stages: stages.map { $0.map { $0.forInference() } }, pooling: pooling.forInference(),
      dropout: dropout, last: last.forInference(), batchedStage: batchedStage, isPacked: true)
  }

  /// Logits, [batch, classCount], for x of [batch, height, width, channels]; three channels, or
  /// more with a difference (`InputSpec.channelCount`).
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    logits(pooled: pooled(x, mode), mode)
  }

  /// The maps after each stage, in the order of the stages.
  public func maps(_ x: Tensor, _ mode: Mode = .inference) -> [Tensor] {
    var maps: [Tensor] = []
    for stage in stages.indices { maps.append(run(stage..<stage + 1, maps.last ?? x, mode)) }
    return maps
  }

  /// The last stage's maps, before pooling: [batch, height, width, channels].
  public func features(_ x: Tensor, _ mode: Mode = .inference) -> Tensor {
    guard isPacked else { return run(stages.indices, x, mode) }
    let split = min(max(batchedStage(x.shape[1], x.shape[2]), 0), stages.count)
    let early = split == 0 ? x : x.imageByImage { run(0..<split, $0, mode) }
    return run(split..<stages.count, early, mode)
  }

  /// The pooled features, the input of the last layer: [batch, featureCount].
  public func pooled(_ x: Tensor, _ mode: Mode = .inference) -> Tensor {
    pooling(features(x, mode), mode)
  }

  /// Logits, [batch, classCount], for the pooled features.
  public func logits(pooled: Tensor, _ mode: Mode = .inference) -> Tensor {
    last(dropout(pooled, mode), mode)
  }

  /// Logits, [batch, classCount], for the maps of stage `depth`: runs the stages after it, the
  /// pooling and the last layer.
  public func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    logits(pooled: pooled(fromMap: map, at: depth, mode), mode)
  }

  /// The pooled features, [batch, featureCount], for the maps of stage `depth`.
  func pooled(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    pooling(run(min(depth + 1, stages.count)..<stages.count, map, mode), mode)
  }

  private func run(_ range: Range<Int>, _ x: Tensor, _ mode: Mode) -> Tensor {
    range.reduce(x) { x, stage in
      let isBlocks = stage > 0 && stage < stages.count - 1
      return stages[stage].reduce(x) { isBlocks ? $1.asBlock($0, mode) : $1($0, mode) }
    }
  }
}
