/// A two-dimensional convolution of NHWC images with learned weights.
///
/// ```swift
/// let store = ParameterStore()
/// let stem = Conv2d(store.root / "stem", 3, 16, kernel: 3, stride: 2, padding: .symmetric(1))
/// store.initialize(seed: 1)
/// let maps = stem(images)  // [batch, 32, 32, 16] for images of [batch, 64, 64, 3]
/// ```
public struct Conv2d: Module {
  /// The weights, [kernel height, kernel width, in / groups, out]; OIHW in files.
  public let weight: Parameter
  /// The bias, [out], or nil.
  public let bias: Parameter?
  /// Stride, padding, dilation and groups.
  package let settings: ConvolutionSettings

  /// Creates a convolution from `inputs` to `outputs` channels with a square kernel.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
    padding: Padding = .none, dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    self.init(
      scope, inputs, outputs, kernel: Size2d(kernel), stride: stride, padding: padding,
      dilation: dilation, groups: groups, bias: bias)
  }

  /// Creates a convolution from `inputs` to `outputs` channels with a kernel of any size.
  public init(
    _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Size2d, stride: Int = 1,
    padding: Padding = .none, dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) {
    precondition(
      groups > 0 && inputs % groups == 0 && outputs % groups == 0,
      "Conv2d \(scope.prefix): \(groups) groups do not divide \(inputs) and \(outputs) channels")
    weight = scope.parameter(
      "weight", shape: [kernel.height, kernel.width, inputs / groups, outputs],
      layout: .convolution,
      role: .weight, initializer: .heNormal(fanOut: kernel.height * kernel.width * outputs / groups)
    )
    self.bias =
      bias
      ? scope.parameter("bias", shape: [outputs], role: .affine, initializer: .constant(0)) : nil
    settings = ConvolutionSettings(
      stride: Size2d(stride), padding: padding, dilation: Size2d(dilation), groups: groups)
  }

  /// The convolution of `x` [batch, height, width, in] as [batch, height, width, out].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    Convolution(settings)([x, weight.value] + (bias.map { [$0.value] } ?? []))
  }
}
