import DeepfakeCore

/// The small network behind `LookAlikeEmbedder`: EfficientNet's blocks, narrower and shallower than B0,
/// and a fully connected layer with a norm instead of a classifier.
public struct LookAlikeNetwork: Module {
  /// Numbers an embedding has.
  public static let dimension = 128
  /// The side of the input in pixels that the network is made for.
  public static let nativeSize = 64

  /// The parameters, keyed as timm keys an EfficientNet's, the last ones `embedding` and
  /// `bn3`.
  public let store: ParameterStore

  let stem: ConvNorm
  let stages: [[MBConv]]
  let head: ConvNorm
  let embedding: Linear
  let lastNorm: BatchNorm2d

  /// A row of the table: blocks that share all but their first's stride and input.
  private struct Stage {
    var repeats: Int
    var kernel: Int
    var stride: Int
    var expansion: Int
    var channels: Int
  }

  private static let stemChannels = 16
  private static let headChannels = 512
  private static let table = [
    Stage(repeats: 1, kernel: 3, stride: 1, expansion: 1, channels: 16),
    Stage(repeats: 2, kernel: 3, stride: 2, expansion: 4, channels: 24),
    Stage(repeats: 2, kernel: 5, stride: 2, expansion: 4, channels: 40),
    Stage(repeats: 3, kernel: 3, stride: 2, expansion: 4, channels: 80),
    Stage(repeats: 2, kernel: 5, stride: 1, expansion: 4, channels: 96),
    Stage(repeats: 2, kernel: 5, stride: 2, expansion: 4, channels: 160),
  ]

  /// A network without weights: load some, or initialise its store.
  public init() {
    store = ParameterStore()
    let scope = store.root
    let norm = Norm.batch(epsilon: 1e-5)
    func unit(
      _ name: String, _ normName: String, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int
    ) -> ConvNorm {
      ConvNorm(
        convolution: Conv2d(
          scope / name, inputs, outputs, kernel: kernel, stride: stride,
          padding: .symmetric(kernel / 2), bias: false),
        norm: NormLayer(scope / normName, outputs, norm), activation: .silu)
    }
    stem = unit("conv_stem", "bn1", 3, Self.stemChannels, kernel: 3, stride: 2)
    var channels = Self.stemChannels
    var stages: [[MBConv]] = []
    for (index, stage) in Self.table.enumerated() {
      stages.append(
        (0..<stage.repeats).map { i in
          defer { channels = stage.channels }
          return MBConv(
            scope / "blocks" / index / i,
            MBConvSpec(
              kernel: stage.kernel, stride: i == 0 ? stage.stride : 1, inChannels: channels,
              expandedChannels: channels * stage.expansion, outChannels: stage.channels,
              padding: .symmetric(stage.kernel / 2), activation: .silu, squeezes: true,
              dropRate: 0),
            norm: norm)
        })
    }
    self.stages = stages
    head = unit("conv_head", "bn2", channels, Self.headChannels, kernel: 1, stride: 1)
    embedding = Linear(scope / "embedding", Self.headChannels, Self.dimension, bias: false)
    lastNorm = BatchNorm2d(scope / "bn3", Self.dimension)
  }

  /// Embeddings of length 1, [batch, dimension], for x of [batch, height, width, 3].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let maps = head(stages.joined().reduce(stem(x, mode)) { $1.asBlock($0, mode) }, mode)
    let embedded = embedding(maps.globalAveragePool(), mode)
    return lastNorm(embedded, mode).scaledToUnitLength()
  }

  /// The form for inference. This network's parameters are released.
  func packed() -> PackedLookAlikeNetwork { PackedLookAlikeNetwork(self) }
}

/// The network for inference.
struct PackedLookAlikeNetwork: Sendable {
  private let stem: PackedConvNorm
  private let blocks: [PackedMBConv]
  private let head: PackedConvNorm
  private let embedding: PackedLinear
  private let lastNorm: ChannelMap

  /// Packs `network`, whose parameters are released.
  init(_ network: LookAlikeNetwork) {
    stem = PackedConvNorm(network.stem)
    blocks = network.stages.joined().map(PackedMBConv.init)
    head = PackedConvNorm(network.head)
    embedding = PackedLinear(network.embedding)
    lastNorm = ChannelMap(network.lastNorm)
  }

  /// What the last norm gives, not yet of length 1.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let maps = x.imageByImage { image in head(blocks.reduce(stem(image)) { $1($0) }) }
    return lastNorm(embedding(maps.globalAveragePool()))
  }
}

/// A batch norm at inference after a layer that it cannot be folded into: a factor and a summand a channel.
struct ChannelMap: Sendable {
  private let scale: Tensor
  private let shift: Tensor

  /// Takes over `norm`, whose parameters are released.
  init(_ norm: BatchNorm2d) {
    scale = norm.weight.value / (norm.runningVariance.value + norm.epsilon).squareRoot()
    shift = norm.bias.value - norm.runningMean.value * scale
    for parameter in [norm.weight, norm.bias, norm.runningMean, norm.runningVariance] {
      parameter.release()
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x * scale + shift }
}

extension Tensor {
  /// Each row of [rows, columns] divided by its length.
  package func scaledToUnitLength() -> Tensor {
    self / ((self * self).sum(axes: [1], keepsDimensions: true) + 1e-12).squareRoot()
  }
}
