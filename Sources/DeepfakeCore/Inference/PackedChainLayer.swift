import CDFKernels

/// A layer of a `ConvolutionChain`, packed for the kernels.
struct PackedChainLayer: Sendable {
  /// The key of the layer's last weight, the pointwise one of a separable layer.
  let key: String
  let inputs, outputs, kernelSize, stride: Int
  let depthwise: Tensor?
  let depthwiseActivation: Activation
  let packed: Tensor
  let bias: Tensor?
  let activation: Activation

  /// Multiply-adds for each pixel of the output.
  var multiplyAdds: Int {
    depthwise == nil
      ? kernelSize * kernelSize * inputs * outputs : (kernelSize * kernelSize + outputs) * inputs
  }

  /// Packs a layer. With `reversesInputs` its weights expect the input channels in reverse order.
  init(_ layer: ConvolutionChain.Layer, reversesInputs: Bool) {
    switch layer {
    case .plain(let block):
      let shape = block.conv.weight.shape
      Self.check(block.conv, groups: 1)
      let folding = block.norm.map { NormFolding($0, after: block.conv) }
      let weight = folding?.scaling(block.conv.weight.value) ?? block.conv.weight.value
      key = block.conv.weight.key
      (inputs, outputs) = (shape[2], shape[3])
      kernelSize = shape[0]
      stride = block.conv.settings.stride.height
      depthwise = nil
      depthwiseActivation = .identity
      packed = (reversesInputs ? weight.flipped(axes: [2]) : weight).packedInPanels()
      bias = folding?.bias ?? block.conv.bias?.value
      activation = block.activation
    case .separable(let first, let second):
      let channels = first.conv.weight.shape[3]
      Self.check(first.conv, groups: channels)
      Self.check(second.conv, groups: 1)
      let shape = second.conv.weight.shape
      precondition(
        first.conv.weight.shape == [3, 3, 1, channels] && shape.dropLast() == [1, 1, channels]
          && second.conv.settings.stride == 1 && !reversesInputs,
        "ConvolutionChain: \(first.conv.weight.key) \(first.conv.weight.shape) and"
          + " \(second.conv.weight.key) \(shape) are not a 3x3 separable convolution")
      let folding = first.norm.map { NormFolding($0, after: first.conv) }
      let weight = folding?.scaling(first.conv.weight.value) ?? first.conv.weight.value
      key = second.conv.weight.key
      (inputs, outputs) = (channels, shape[3])
      kernelSize = 3
      stride = first.conv.settings.stride.height
      depthwise = weight.withUnsafeBuffer { weight in
        (folding?.bias ?? first.conv.bias?.value).withUnsafePointer { bias in
          Tensor(shape: [df_f32_chain_packed_count(channels)]) {
            df_f32_chain_pack(channels, weight.baseAddress, bias, $0.baseAddress)
          }
        }
      }
      depthwiseActivation = first.activation
      let across = second.norm.map { NormFolding($0, after: second.conv) }
      packed = second.conv.packedInPanels(across)
      bias = across?.bias ?? second.conv.bias?.value
      activation = second.activation
    }
  }

  /// Whether a chain supports the convolution's kernel size, stride, padding, dilation and
  /// `groups`.
  static func fits(_ conv: Conv2d, groups: Int) -> Bool {
    let (settings, shape) = (conv.settings, conv.weight.shape)
    return shape[0] == shape[1] && shape[0] % 2 == 1 && shape[0] <= Int(DF_CHAIN_KERNEL)
      && settings.stride.height == settings.stride.width
      && (1...2).contains(settings.stride.height) && settings.dilation == 1
      && settings.groups == groups && settings.padding == .symmetric(shape[0] / 2)
  }

  private static func check(_ conv: Conv2d, groups: Int) {
    precondition(
      fits(conv, groups: groups),
      "ConvolutionChain: \(conv.weight.key) \(conv.weight.shape) with \(conv.settings) does not fit"
        + " a chain")
  }

  /// The layer in the kernels' form. Its pointers are valid while this layer is alive.
  var kernel: df_chain_layer {
    df_chain_layer(
      in_channels: inputs, out_channels: outputs, kernel: kernelSize, stride: stride,
      depthwise: depthwise?.sharedMemory.floats,
      depthwise_activation: depthwiseActivation.kernel,
      depthwise_slope: depthwiseActivation.slope, packed: packed.sharedMemory.floats,
      bias: bias?.sharedMemory.floats, activation: activation.kernel, slope: activation.slope)
  }
}
