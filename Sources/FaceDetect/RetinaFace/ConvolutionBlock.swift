import DeepfakeCore

/// A convolution with batch norm and activation, the basic unit of RetinaFace.
///
/// The network's structure is written once, over this protocol. With
/// `BatchNormConvolution` it has parameters with the published keys; with `PackedBlock` it is fast
/// for inference.
package protocol ConvolutionBlock: Module {
  /// The output for `x` plus `residual`, which is added after the activation.
  func callAsFunction(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor

  /// ReLU(output for `x` + `residual`), for a 1x1 block without activation.
  func relu(_ x: Tensor, adding residual: Tensor, _ mode: Mode) -> Tensor
}

/// A block with parameters.
package struct BatchNormConvolution: ConvolutionBlock {
  let conv: Conv2d
  let norm: BatchNorm2d
  let activation: Activation

  /// Creates a block whose convolution and norm have separate scopes. The padding keeps the map's
  /// size (divided by the stride, rounded up).
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

  /// Creates a block of a published sequence: the convolution is child `first`, the norm is the
  /// next.
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

  /// Folds the norm into the weights and packs them; the parameters are released.
  func packed() -> PackedBlock {
    PackedBlock(conv: PackedConv2d(conv, norm: norm, activation: activation))
  }
}

/// A block as one fused kernel, for inference only.
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
