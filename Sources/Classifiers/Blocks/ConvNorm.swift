import DeepfakeCore

/// A convolution, a norm and an activation: the basic unit of most networks.
struct ConvNorm: Module {
  let convolution: Conv2d
  let norm: NormLayer
  let activation: Activation

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    norm(convolution(x, mode), mode, activation: activation)
  }

  /// Folds batch norm into the packed weights; group norm runs fused with the activation.
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
      // With three input channels (an image), a plain chain reads the windows directly from the
      // input.
      let chain = ConvolutionChain([.plain(block)])
      return FunctionLayer(adding: { chain($0, residual: $1) })
    }
    let packed = PackedConv2d(self, norm: norm, activation: activation)
    return FunctionLayer(adding: { packed($0, residual: $1) })
  }
}
