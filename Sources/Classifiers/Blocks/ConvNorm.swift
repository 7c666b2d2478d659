import DeepfakeCore

/// A convolution, its norm and an activation: the unit that most networks are made of.
struct ConvNorm: Module {
  let convolution: Conv2d
  let norm: NormLayer
  let activation: Activation

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    norm(convolution(x, mode), mode, activation: activation)
  }

  /// Batch norm is folded into the packed weights, group norm runs fused with the activation.
  func forInference() -> any Module {
    switch norm {
    case .batch(let norm): return convolution.packed(norm, activation)
    case .group(let norm):
      let convolution = convolution.packed(nil, .identity)
      let groupNorm = FusedGroupNorm(norm, activation: activation)
      return FunctionLayer(adding: { groupNorm(convolution($0), residual: $1) })
    }
  }
}

extension Conv2d {
  fileprivate func packed(_ norm: BatchNorm2d?, _ activation: Activation) -> any Module {
    let block = ConvolutionChain.Block(self, norm: norm, activation: activation)
    if weight.shape[2] == 3, block.fitsPlain {
      // Row by row, for the few channels of pictures: windows are read where they lie.
      let chain = ConvolutionChain([.plain(block)])
      return FunctionLayer(adding: { chain($0, residual: $1) })
    }
    let packed = PackedConv2d(self, norm: norm, activation: activation)
    return FunctionLayer(adding: { packed($0, residual: $1) })
  }
}
