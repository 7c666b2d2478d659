import DeepfakeCore

/// ResNet's residual block: a 1x1 convolution, a 3x3 convolution, which may have groups and has the
/// stride, and a 1x1 convolution. The input, or a 1x1 convolution of it, is added before the last
/// ReLU.
struct Bottleneck: Module {
  private let reduce, spatial, expand: ConvNorm
  /// nil if the input itself is added.
  private let projection: ConvNorm?
  private let stochasticDepth: StochasticDepth

  init(_ scope: Scope, _ block: ResNetTable.Block, norm: Norm) {
    func unit(
      _ name: String, _ normName: String, _ inputs: Int, _ outputs: Int, kernel: Int = 1,
      stride: Int = 1, groups: Int = 1, activation: Activation = .relu
    ) -> ConvNorm {
      ConvNorm(
        convolution: Conv2d(
          scope / name, inputs, outputs, kernel: kernel, stride: stride,
          padding: kernel == 1 ? .none : .symmetric(kernel / 2), groups: groups, bias: false),
        norm: NormLayer(scope / normName, outputs, norm), activation: activation)
    }
    reduce = unit("conv1", "bn1", block.inChannels, block.width)
    spatial = unit(
      "conv2", "bn2", block.width, block.width, kernel: 3, stride: block.stride,
      groups: block.groups)
    expand = unit("conv3", "bn3", block.width, block.outChannels, activation: .identity)
    projection =
      block.projects
      ? unit(
        "downsample.0", "downsample.1", block.inChannels, block.outChannels, stride: block.stride,
        activation: .identity) : nil
    stochasticDepth = StochasticDepth(scope / "drop_path", block.dropRate)
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let y = expand(spatial(reduce(x, mode), mode), mode)
    return (stochasticDepth(y, mode) + (projection?(x, mode) ?? x)).relu()
  }

  /// Packs the block. The last convolution adds the input and applies the ReLU in its kernel.
  func forInference() -> any Module {
    let (reduce, spatial) = (reduce.forInference(), spatial.forInference())
    let (expand, projection) = (expand.packedForReLUOfSum(), projection?.forInference())
    return FunctionLayer { x in
      let y = spatial(reduce(x, .inference), .inference)
      return expand(y, projection?(x, .inference) ?? x)
    }
  }
}

extension ConvNorm {
  /// Packs a 1x1 convolution without activation as the function max(0, output for `x` +
  /// `residual`).
  fileprivate func packedForReLUOfSum() -> @Sendable (_ x: Tensor, _ residual: Tensor) -> Tensor {
    switch norm {
    case .batch(let norm):
      let packed = PackedConv2d(convolution, norm: norm)
      return { packed.relu($0, adding: $1) }
    case .group(let norm):
      let packed = PackedConv2d(convolution)
      let groupNorm = FusedGroupNorm(norm)
      return { groupNorm(packed($0), residual: $1).relu() }
    }
  }
}
