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
  private let convolution: PackedConv2d
  private let groupNorm: FusedGroupNorm?

  /// Packs `unit`, whose parameters are released.
  init(_ unit: ConvNorm) {
    switch unit.norm {
    case .batch(let norm):
      convolution = PackedConv2d(unit.convolution, norm: norm, activation: unit.activation)
      groupNorm = nil
    case .group(let norm):
      convolution = PackedConv2d(unit.convolution)
      groupNorm = FusedGroupNorm(norm, activation: unit.activation)
    }
  }

  /// The unit's output, plus `residual` if given.
  func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    guard let groupNorm else { return convolution(x, residual: residual) }
    return groupNorm(convolution(x), residual: residual)
  }
}
