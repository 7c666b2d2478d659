import DeepfakeCore

/// The shape of a ResNet or ResNeXt: the blocks of its four stages and the widths of their 3x3
/// convolutions.
struct ResNetTable: Sendable, Equatable {
  /// The number of blocks of each stage.
  var blocks: [Int]
  /// The groups of the 3x3 convolutions; 1 in a plain ResNet.
  var groups = 1
  /// The channels of a group in the first stage; they double with each stage.
  var groupWidth = 64

  /// Channels of the first stage's output; they double with each stage.
  private static let firstOutput = 256
  /// Channels of the stem.
  static let stemChannels = 64

  /// One residual block.
  struct Block: Sendable, Equatable {
    var inChannels: Int
    /// Channels of the 3x3 convolution.
    var width: Int
    var outChannels: Int
    var groups: Int
    var stride: Int
    /// The probability in training that an image skips the block.
    var dropRate: Float

    /// Whether the block changes the input's shape, so that the skip connection needs a layer.
    var projects: Bool { stride != 1 || inChannels != outChannels }
  }

  /// Channels of the maps after the last stage.
  var featureCount: Int { Self.firstOutput << (blocks.count - 1) }

  /// Channels of the 3x3 convolutions of a stage.
  func width(_ stage: Int) -> Int { groups * groupWidth << stage }

  /// The blocks of each stage. Block i of n is skipped in training with probability
  /// `stochasticDepth` * i / n, so the first block is never skipped.
  func plan(stochasticDepth: Float = 0) -> [[Block]] {
    var (channels, index) = (Self.stemChannels, 0)
    let count = blocks.reduce(0, +)
    return blocks.enumerated().map { stage, repeats in
      (0..<repeats).map { i in
        let block = Block(
          inChannels: channels, width: width(stage), outChannels: Self.firstOutput << stage,
          groups: groups, stride: i == 0 && stage > 0 ? 2 : 1,
          dropRate: stochasticDepth * Float(index) / Float(count))
        channels = block.outChannels
        index += 1
        return block
      }
    }
  }
}

extension ClassifierNetwork {
  /// The first stages have large maps and small weights, and process one image at a time: the stem,
  /// `layer1` and `layer2`.
  private static let imageStages = 3

  /// Creates a ResNet (He et al. 2016) or ResNeXt (Xie et al. 2017) with torchvision's keys and
  /// without weights.
  init(
    resNet table: ResNetTable, norm: Norm, inChannels: Int = 3, classCount: Int, dropout: Float,
    depth: Float
  ) {
    let store = ParameterStore()
    let scope = store.root
    let stem = ConvNorm(
      convolution: Conv2d(
        scope / "conv1", inChannels, ResNetTable.stemChannels, kernel: 7, stride: 2,
        padding: .symmetric(3), bias: false),
      norm: NormLayer(scope / "bn1", ResNetTable.stemChannels, norm), activation: .relu)
    let pool = FunctionLayer { $0.maxPool(3, stride: 2, padding: 1) }
    let stages = table.plan(stochasticDepth: depth).enumerated().map { s, blocks in
      blocks.enumerated().map { i, block -> any Module in
        Bottleneck(scope / "layer\(s + 1)" / i, block, norm: norm)
      }
    }
    self.init(
      store: store, stages: [[stem, pool]] + stages, dropout: Dropout(scope / "dropout", dropout),
      last: Linear(scope / "fc", table.featureCount, classCount),
      batchedStage: { _, _ in Self.imageStages })
  }
}
