import DeepfakeCore

/// The network of `LookAlikeEmbedder`: EfficientNet's blocks, narrower and fewer than in B0, with a
/// fully connected layer and a norm instead of a classifier.
package struct LookAlikeNetwork: Module {
  /// The number of elements of an embedding.
  package static let dimension = 128
  /// The side, in pixels, of the input that the network is designed for.
  package static let nativeSize = 64

  /// The parameters, with timm's keys of an EfficientNet; the last layers are `embedding` and
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

  /// Creates a network without weights. Load a checkpoint or initialise `store` before use.
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

  /// The last norm's output, [batch, dimension], before scaling to length 1.
  func normed(_ x: Tensor, _ mode: Mode) -> Tensor { lastNorm(embedder(x, mode), mode) }

  /// The network packed for inference. This network's parameters are released.
  func packed() -> LookAlikeNetwork { LookAlikeNetwork(packing: self) }
}

extension Tensor {
  /// Divides each row of [rows, columns] by its length.
  package func scaledToUnitLength() -> Tensor {
    self / ((self * self).sum(axes: [1], keepsDimensions: true) + 1e-12).squareRoot()
  }
}
