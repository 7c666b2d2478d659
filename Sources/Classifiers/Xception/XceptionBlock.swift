import DeepfakeCore

/// A depthwise 3x3 convolution, a 1x1 convolution straight after it, a norm and an activation.
struct SeparableConvNorm: Module {
  let depthwise: Conv2d
  let pointwise: ConvNorm

  init(
    _ scope: Scope, norm: NormLayer, _ inChannels: Int, _ outChannels: Int, activation: Activation
  ) {
    depthwise = Conv2d(
      scope / "conv1", inChannels, inChannels, kernel: 3, padding: .symmetric(1),
      groups: inChannels, bias: false)
    pointwise = ConvNorm(
      convolution: Conv2d(scope / "pointwise", inChannels, outChannels, kernel: 1, bias: false),
      norm: norm, activation: activation)
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    pointwise(depthwise(x, mode), mode)
  }
}

/// A residual block of separable convolutions with ReLUs between them; a strided one ends in max
/// pooling.
struct XceptionBlock: Module {
  let spec: XceptionBlockSpec
  let units: [SeparableConvNorm]
  /// None where the input itself is added.
  let skip: ConvNorm?

  init(_ scope: Scope, _ spec: XceptionBlockSpec, norm: Norm) {
    self.spec = spec
    skip =
      spec.hasSkipConvolution
      ? ConvNorm(
        convolution: Conv2d(
          scope / "skip", spec.inChannels, spec.outChannels, kernel: 1, stride: spec.stride,
          bias: false),
        norm: NormLayer(scope / "skipbn", spec.outChannels, norm), activation: .identity) : nil
    // Published keys number ReLU, separable convolution and norm in one sequence.
    let first = spec.startsWithReLU ? 1 : 0
    units = (0..<spec.units).map { i in
      let isLast = i == spec.units - 1
      let inChannels = i > 0 && spec.growsFirst ? spec.outChannels : spec.inChannels
      let outChannels = isLast || spec.growsFirst ? spec.outChannels : spec.inChannels
      let place = first + 3 * i
      return SeparableConvNorm(
        scope / "rep" / place, norm: NormLayer(scope / "rep" / (place + 1), outChannels, norm),
        inChannels, outChannels, activation: isLast ? .identity : .relu)
    }
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    var y = spec.startsWithReLU ? x.relu() : x
    for unit in units { y = unit(y, mode) }
    if spec.stride != 1 { y = y.maxPool(3, stride: Size2d(spec.stride), padding: 1) }
    return y + (skip?(x, mode) ?? x)
  }
}
