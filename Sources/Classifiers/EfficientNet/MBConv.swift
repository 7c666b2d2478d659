import DeepfakeCore

/// Squeeze and excitation: scales each channel by a factor computed from the mean of all channels
/// over the image (Hu et al. 2018).
struct SqueezeExcite: Module {
  let reduce: Conv2d
  let expand: Conv2d

  init(_ scope: Scope, channels: Int, squeezed: Int) {
    reduce = Conv2d(scope / "conv_reduce", channels, squeezed, kernel: 1)
    expand = Conv2d(scope / "conv_expand", squeezed, channels, kernel: 1)
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    func bias(_ layer: Conv2d) -> Tensor {
      layer.bias?.value ?? Tensor(zeros: [layer.weight.shape[3]])
    }
    return x.squeezedAndExcited(
      reduce: (reduce.weight.value, bias(reduce)), expand: (expand.weight.value, bias(expand)))
  }
}

/// An inverted bottleneck block: a 1x1 expansion, a depthwise convolution, squeeze and excitation
/// (not in Lite networks), and a 1x1 projection.
struct MBConv: Module {
  let spec: MBConvSpec
  /// nil in blocks that do not widen their input.
  let expand: ConvNorm?
  let depthwise: ConvNorm
  /// nil in Lite networks.
  let squeezeExcite: SqueezeExcite?
  let project: ConvNorm
  private let stochasticDepth: StochasticDepth

  init(_ scope: Scope, _ spec: MBConvSpec, norm: Norm) {
    self.spec = spec
    let channels = spec.expandedChannels
    // timm numbers the norms that exist. Its projection is `conv_pw` in blocks without an
    // expansion, otherwise `conv_pwl`.
    var norms = (1...3).makeIterator()
    func nextNorm(_ channels: Int) -> NormLayer {
      NormLayer(scope / "bn\(norms.next() ?? 0)", channels, norm)
    }
    expand =
      spec.expands
      ? ConvNorm(
        convolution: Conv2d(scope / "conv_pw", spec.inChannels, channels, kernel: 1, bias: false),
        norm: nextNorm(channels), activation: spec.activation) : nil
    depthwise = ConvNorm(
      convolution: Conv2d(
        scope / "conv_dw", channels, channels, kernel: spec.kernel, stride: spec.stride,
        padding: spec.padding, groups: channels, bias: false),
      norm: nextNorm(channels), activation: spec.activation)
    squeezeExcite =
      spec.squeezes
      ? SqueezeExcite(scope / "se", channels: channels, squeezed: spec.squeezedChannels) : nil
    project = ConvNorm(
      convolution: Conv2d(
        scope / (spec.expands ? "conv_pwl" : "conv_pw"), channels, spec.outChannels, kernel: 1,
        bias: false),
      norm: nextNorm(spec.outChannels), activation: .identity)
    stochasticDepth = StochasticDepth(scope / "drop_path", spec.dropRate)
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    var y = x
    if let expand { y = expand(y, mode) }
    y = depthwise(y, mode)
    if let squeezeExcite { y = squeezeExcite(y, mode) }
    y = project(y, mode)
    return spec.hasResidual ? stochasticDepth(y, mode) + x : y
  }

  /// Packs the block into one fused kernel.
  func forInference() -> any Module {
    let block = PackedInvertedBottleneck(
      widen: expand.map { ($0.convolution, $0.norm) },
      filter: (depthwise.convolution, depthwise.norm), reduce: squeezeExcite?.reduce,
      excite: squeezeExcite?.expand, project: (project.convolution, project.norm),
      activation: spec.activation, hasResidual: spec.hasResidual)
    return FunctionLayer { block($0) }
  }
}
