import DeepfakeCore

/// Inception-ResNet-v1 for inference.
struct PackedInceptionResnetV1: Sendable {
  private enum Layer: Sendable {
    case convolution(PackedConvNorm)
    case maxPool
    case residual(PackedInceptionBlock)
    case reduction([PackedInceptionBranch])
  }

  private let layers: [Layer]
  private let lastLinear: PackedLinear
  private let lastNorm: ChannelMap

  /// Packs `network`, whose parameters are released.
  init(_ network: InceptionResnetV1) {
    layers = network.layers.map { layer in
      switch layer {
      case .convolution(let convolution): .convolution(PackedConvNorm(convolution.unit))
      case .maxPool: .maxPool
      case .residual(let block): .residual(PackedInceptionBlock(block))
      case .reduction(let branches): .reduction(branches.map(PackedInceptionBranch.init))
      }
    }
    lastLinear = PackedLinear(network.lastLinear)
    lastNorm = ChannelMap(network.lastNorm)
  }

  /// What the last norm gives, [batch, 512], not yet of length 1, for x of [batch, height, width, 3].
  func callAsFunction(_ x: Tensor) -> Tensor {
    let maps = x.imageByImage { image in
      layers.reduce(image) { x, layer in
        switch layer {
        case .convolution(let convolution): convolution(x)
        case .maxPool: x.maxPool(3, stride: 2)
        case .residual(let block): block(x)
        case .reduction(let branches): .concatenated(branches.map { $0(x) }, axis: 3)
        }
      }
    }
    return lastNorm(lastLinear(maps.globalAveragePool()))
  }
}

/// A branch for inference.
private enum PackedInceptionBranch: Sendable {
  case convolutions([PackedConvNorm])
  case maxPool

  init(_ branch: InceptionBranch) {
    switch branch {
    case .convolutions(let convolutions):
      self = .convolutions(convolutions.map { PackedConvNorm($0.unit) })
    case .maxPool: self = .maxPool
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .convolutions(let convolutions): convolutions.reduce(x) { $1($0) }
    case .maxPool: x.maxPool(3, stride: 2)
    }
  }
}

/// A residual block for inference: its scale is in the joining convolution's weights, which adds the input
/// as it writes.
private struct PackedInceptionBlock: Sendable {
  private let branches: [PackedInceptionBranch]
  private let join: PackedConv2d
  private let hasReLU: Bool

  init(_ block: InceptionBlock) {
    branches = block.branches.map(PackedInceptionBranch.init)
    for parameter in [block.join.weight, block.join.bias].compactMap({ $0 }) {
      parameter.value = parameter.value * block.scale
    }
    join = PackedConv2d(block.join)
    hasReLU = block.hasReLU
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = join(.concatenated(branches.map { $0(x) }, axis: 3), residual: x)
    return hasReLU ? y.relu() : y
  }
}
