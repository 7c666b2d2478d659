import DeepfakeCore

/// A depthwise 3x3 convolution directly followed by a 1x1 convolution, a norm and an activation.
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

  /// The largest number of weights that may be read again for every few rows.
  private static let mostWeights = 1024 * 1024

  /// Runs both convolutions row by row, which needs no maps between them. With large weights it
  /// runs one after the other, which reads the weights less often.
  func forInference() -> any Module {
    let convolution = pointwise.convolution
    guard convolution.weight.shape.reduce(1, *) <= Self.mostWeights else {
      return ([depthwise, pointwise] as [any Module]).forInference()
    }
    switch pointwise.norm {
    case .batch(let norm):
      let last = ConvolutionChain.Block(convolution, norm: norm, activation: pointwise.activation)
      let chain = ConvolutionChain([.separable(depthwise: .init(depthwise), pointwise: last)])
      return FunctionLayer(adding: { chain($0, residual: $1) })
    case .group(let norm):
      let chain = ConvolutionChain([
        .separable(depthwise: .init(depthwise), pointwise: .init(convolution))
      ])
      let groupNorm = FusedGroupNorm(norm, activation: pointwise.activation)
      return FunctionLayer(adding: { groupNorm(chain($0), residual: $1) })
    }
  }
}

/// A residual block of separable convolutions with ReLUs between them. A strided block ends with
/// max pooling.
struct XceptionBlock: Module {
  private let spec: XceptionBlockSpec
  private let units: [any Module]
  /// The 1x1 convolution of the skip connection; nil if the input itself is added.
  private let skip: (any Module)?

  init(_ scope: Scope, _ spec: XceptionBlockSpec, norm: Norm) {
    self.spec = spec
    skip =
      spec.hasSkipConvolution
      ? ConvNorm(
        convolution: Conv2d(
          scope / "skip", spec.inChannels, spec.outChannels, kernel: 1, stride: spec.stride,
          bias: false),
        norm: NormLayer(scope / "skipbn", spec.outChannels, norm), activation: .identity) : nil
    // Published keys number all ReLUs, separable convolutions and norms of a block in one sequence.
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

  private init(packing block: XceptionBlock) {
    spec = block.spec
    units = block.units.map { $0.forInference() }
    skip = block.skip?.forInference()
  }

  /// The last layer of the main branch, or the skip convolution, adds the other branch in its
  /// kernel.
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    var y = spec.startsWithReLU ? x.relu() : x
    for (i, unit) in units.enumerated() {
      let addsInput = skip == nil && i == units.count - 1
      y = addsInput ? unit(y, adding: x, mode) : unit(y, mode)
    }
    if spec.stride != 1 { y = y.maxPool(3, stride: Size2d(spec.stride), padding: 1) }
    return skip?(x, adding: y, mode) ?? y
  }

  func forInference() -> any Module { XceptionBlock(packing: self) }
}
