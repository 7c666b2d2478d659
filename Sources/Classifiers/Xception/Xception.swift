import DeepfakeCore

/// A row of Xception's table of blocks.
struct XceptionBlockSpec: Sendable, Equatable {
  var inChannels: Int
  var outChannels: Int
  var units: Int
  var stride: Int
  /// Whether the block starts with a ReLU; the skip connection branches off before it.
  var startsWithReLU = true
  /// Whether the first unit changes the number of channels; otherwise the last one does.
  var growsFirst = true

  var hasSkipConvolution: Bool { stride != 1 || inChannels != outChannels }

  /// Blocks 1 to 12.
  static let table: [XceptionBlockSpec] =
    [
      .init(inChannels: 64, outChannels: 128, units: 2, stride: 2, startsWithReLU: false),
      .init(inChannels: 128, outChannels: 256, units: 2, stride: 2),
      .init(inChannels: 256, outChannels: 728, units: 2, stride: 2),
    ]
    + Array(
      repeating: .init(inChannels: 728, outChannels: 728, units: 3, stride: 1), count: 8)
    + [.init(inChannels: 728, outChannels: 1024, units: 2, stride: 2, growsFirst: false)]
}

extension ClassifierNetwork {
  /// The stem and the three blocks of the entry flow. They have large maps and small weights; the
  /// later stages have small maps and large weights.
  private static let entryStages = 1 + 3

  /// Creates an Xception (Chollet 2017), the PyTorch port that published detectors use, with the
  /// keys of timm's `legacy_xception`. Its first two convolutions have no padding.
  init(xception norm: Norm, inputs: Int = 3, classCount: Int, dropout: Float) {
    let store = ParameterStore()
    let scope = store.root
    func plain(_ n: Int, _ inChannels: Int, _ outChannels: Int, stride: Int) -> any Module {
      ConvNorm(
        convolution: Conv2d(
          scope / "conv\(n)", inChannels, outChannels, kernel: 3, stride: stride, bias: false),
        norm: NormLayer(scope / "bn\(n)", outChannels, norm), activation: .relu)
    }
    func separable(_ n: Int, _ inChannels: Int, _ outChannels: Int) -> any Module {
      SeparableConvNorm(
        scope / "conv\(n)", norm: NormLayer(scope / "bn\(n)", outChannels, norm), inChannels,
        outChannels, activation: .relu)
    }
    let stem = [plain(1, inputs, 32, stride: 2), plain(2, 32, 64, stride: 1)]
    let blocks = XceptionBlockSpec.table.enumerated().map { i, spec -> [any Module] in
      [XceptionBlock(scope / "block\(i + 1)", spec, norm: norm)]
    }
    let head = [separable(3, 1024, 1536), separable(4, 1536, 2048)]
    self.init(
      store: store, stages: [stem] + blocks + [head], dropout: Dropout(scope / "dropout", dropout),
      last: Linear(scope / "fc", 2048, classCount), batchedStage: { _, _ in Self.entryStages })
  }
}
