import DeepfakeCore

/// A convolution, its norm and an activation: the unit that every network here is made of.
struct ConvNorm: Module {
  let convolution: Conv2d
  let norm: NormLayer
  let activation: Activation

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    norm(convolution(x, mode), mode, activation: activation)
  }
}

/// The same for inference: batch norm is folded into the packed weights, group norm runs fused with
/// the activation.
struct PackedConvNorm: Sendable {
  private enum Convolution: Sendable {
    case packed(PackedConv2d)
    /// Row by row, for the few channels of pictures: windows are read where they lie.
    case chain(ConvolutionChain)
  }

  private let convolution: Convolution
  private let groupNorm: FusedGroupNorm?

  /// Packs `unit`, whose parameters are released.
  init(_ unit: ConvNorm) {
    let conv = unit.convolution
    let norm: BatchNorm2d?
    switch unit.norm {
    case .batch(let batch):
      norm = batch
      groupNorm = nil
    case .group(let group):
      norm = nil
      groupNorm = FusedGroupNorm(group, activation: unit.activation)
    }
    let activation = groupNorm == nil ? unit.activation : .identity
    let block = ConvolutionChain.Block(conv, norm: norm, activation: activation)
    convolution =
      conv.weight.shape[2] == 3 && block.fitsPlain
      ? .chain(ConvolutionChain([.plain(block)]))
      : .packed(PackedConv2d(conv, norm: norm, activation: activation))
  }

  /// The unit's output, plus `residual` if given.
  func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    guard let groupNorm else { return convolved(x, residual: residual) }
    return groupNorm(convolved(x), residual: residual)
  }

  private func convolved(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    switch convolution {
    case .packed(let convolution): convolution(x, residual: residual)
    case .chain(let chain): chain(x, residual: residual)
    }
  }
}
