import DeepfakeCore

/// The small network behind `LookAlikeEmbedder`: EfficientNet's blocks, narrower and shallower than
/// B0, and a fully connected layer with a norm instead of a classifier.
package struct LookAlikeNetwork: Module {
  /// Numbers an embedding has.
  package static let dimension = 128
  /// The side of the input in pixels that the network is made for.
  package static let nativeSize = 64

  /// The parameters, keyed as timm keys an EfficientNet's, the last ones `embedding` and
  /// `bn3`.
  package let store: ParameterStore

  private let embedder: ClassifierNetwork
  private let lastNorm: any Module

  private static let table = EfficientNetTable(
    stemChannels: 16,
    stages: [
      .init(repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16),
      .init(repeats: 2, kernel: 3, stride: 2, expansion: 4, channels: 24),
      .init(repeats: 2, kernel: 5, stride: 2, expansion: 4, channels: 40),
      .init(repeats: 3, kernel: 3, stride: 2, expansion: 4, channels: 80),
      .init(repeats: 2, kernel: 5, stride: 1, expansion: 4, channels: 96),
      .init(repeats: 2, kernel: 5, stride: 2, expansion: 4, channels: 160),
    ], headChannels: 512, nativeSize: nativeSize)

  /// A network without weights: load some, or initialise its store.
  package init() {
    let store = ParameterStore()
    let plan = Self.table.plan()
    self.store = store
    embedder = ClassifierNetwork(
      store: store, stages: plan.layers(store.root, .batch),
      dropout: Dropout(store.root / "dropout", 0),
      last: Linear(store.root / "embedding", plan.headChannels, Self.dimension, bias: false))
    lastNorm = BatchNorm2d(store.root / "bn3", Self.dimension)
  }

  private init(packing network: LookAlikeNetwork) {
    store = network.store
    embedder = network.embedder.packed()
    lastNorm = network.lastNorm.forInference()
  }

  /// Embeddings of length 1, [batch, dimension], for x of [batch, height, width, 3].
  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    normed(x, mode).scaledToUnitLength()
  }

  /// What the last norm gives, not yet of length 1.
  func normed(_ x: Tensor, _ mode: Mode) -> Tensor { lastNorm(embedder(x, mode), mode) }

  /// The form for inference. This network's parameters are released.
  func packed() -> LookAlikeNetwork { LookAlikeNetwork(packing: self) }
}

extension Tensor {
  /// Each row of [rows, columns] divided by its length.
  package func scaledToUnitLength() -> Tensor {
    self / ((self * self).sum(axes: [1], keepsDimensions: true) + 1e-12).squareRoot()
  }
}
