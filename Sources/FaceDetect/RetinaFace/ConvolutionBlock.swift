import DeepfakeCore

/// A convolution, its batch norm and its activation: what RetinaFace is made of.
///
/// The network's structure is written once, over this protocol: with `ConvNorm` it has parameters
/// under published keys, with `PackedBlock` it is ready for fast inference.
package protocol ConvolutionBlock: Module {
  /// The output for `x`, to which `residual` is added after the activation.
  func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor

  /// The ReLU of the output for `x` plus `residual`, for a pointwise block without activation.
  func relu(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor
}

/// The block with its parameters.
package struct ConvNorm: ConvolutionBlock {
  let conv: Conv2d
  let norm: BatchNorm2d
  let activation: Activation

  /// A block whose convolution and norm are declared in scopes of their own. Padding keeps the size
  /// (divided by the stride, rounded up).
  init(
    conv: Scope, norm: Scope, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1,
    groups: Int = 1, activation: Activation
  ) {
    self.conv = Conv2d(
      conv, input, output, kernel: kernel, stride: stride, padding: .symmetric(kernel / 2),
      groups: groups, bias: false)
    self.norm = BatchNorm2d(norm, output, epsilon: 1e-5, momentum: 0.1)
    self.activation = activation
  }

  /// A block of a published sequence: the convolution is child `first`, the norm follows it.
  init(
    _ scope: Scope, first: Int = 0, _ input: Int, _ output: Int, kernel: Int, stride: Int = 1,
    groups: Int = 1, activation: Activation
  ) {
    self.init(
      conv: scope / first, norm: scope / (first + 1), input, output, kernel: kernel,
      stride: stride, groups: groups, activation: activation)
  }

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    norm(conv(x, mode), mode, activation: activation)
  }

  package func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    self(x, mode) + residual
  }

  package func relu(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    self(x, adding: residual, mode).relu()
  }

  /// The block with its norm folded in and its weights packed; the parameters are released.
  func packed() -> PackedBlock {
    PackedBlock(conv: PackedConv2d(conv, norm: norm, activation: activation))
  }
}

/// The block as one fused call, for inference only.
package struct PackedBlock: ConvolutionBlock {
  let conv: PackedConv2d

  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    conv(x)
  }

  package func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    conv(x, residual: residual)
  }

  package func relu(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor {
    conv.relu(x, adding: residual)
  }
}
