import CDFKernels

/// A convolution packed for inference. The batch norm is folded in, the weights are packed for the
/// kernels, and activation and residual are applied to tiles of the output while they are in the
/// cache.
///
/// The weights are packed for the instruction set in use, which must not change afterwards.
public struct PackedConv2d: Sendable {
  /// The number of input channels.
  public let inputs: Int
  /// The number of output channels.
  public let outputs: Int

  let key: String
  let settings: ConvolutionSettings
  let weightShape: [Int]
  private let method: Method
  private let packed: Tensor
  private let bias: Tensor?
  private let activation: Activation
  private let slopes: Tensor?

  /// Packs `conv`, followed by `norm` and by `activation` or `prelu`, and releases their
  /// parameters. A depthwise convolution must not have a `prelu`.
  public init(
    _ conv: Conv2d, norm: BatchNorm2d? = nil, activation: Activation = .identity,
    prelu: PReLU? = nil
  ) {
    let folding = norm.map { NormFolding($0, after: conv) }
    key = conv.weight.key
    settings = conv.settings
    weightShape = conv.weight.shape
    inputs = weightShape[2] * settings.groups
    outputs = weightShape[3]
    bias = folding?.bias ?? conv.bias?.value
    self.activation = activation
    slopes = prelu.map { $0.slopes(channels: conv.weight.shape[3], after: conv.weight.key) }
    method = Method(settings, weight: weightShape)
    packed = Self.pack(conv, folding, method)
    NormFolding.release(conv, norm)
    prelu?.weight.release()
    precondition(
      slopes == nil || !isDepthwise, "\(key): a depthwise convolution cannot have a PReLU")
  }

  /// Whether each channel is convolved separately.
  public var isDepthwise: Bool { settings.groups == inputs && inputs == outputs && inputs > 1 }

  /// Whether this is a 1x1 convolution, computed as a matrix product over the input's pixels in
  /// place.
  public var isPointwise: Bool { method == .pointwise }

  /// Whether this is a 3x3 convolution computed by Winograd's method.
  var isWinograd: Bool { method == .winograd }

  private static func pack(_ conv: Conv2d, _ folding: NormFolding?, _ method: Method) -> Tensor {
    let (settings, shape) = (conv.settings, conv.weight.shape)
    if method == .pointwise { return conv.packedInPanels(folding) }
    let weight = folding.map { $0.scaling(conv.weight.value) } ?? conv.weight.value
    return weight.withUnsafeBuffer { weight in
      // Packing depends only on the kernel and the groups; the input's size is a placeholder.
      var conv = df_conv2d(
        batch: 1, in_height: shape[0], in_width: shape[1], in_channels: shape[2] * settings.groups,
        out_height: 1, out_width: 1, out_channels: shape[3], kernel_height: shape[0],
        kernel_width: shape[1], stride_height: settings.stride.height,
        stride_width: settings.stride.width, dilation_height: settings.dilation.height,
        dilation_width: settings.dilation.width, pad_top: 0, pad_left: 0, groups: settings.groups)
      if method == .winograd {
        return Tensor(shape: [df_f32_winograd_packed_count(&conv)]) {
          df_f32_winograd_pack(&conv, weight.baseAddress, $0.baseAddress)
        }
      }
      return Tensor(shape: [df_f32_conv2d_packed_count(&conv)]) {
        df_f32_conv2d_pack(&conv, weight.baseAddress, $0.baseAddress)
      }
    }
  }

  /// The convolution of `x` [batch, height, width, in] as [batch, height, width, out].
  ///
  /// - Parameter residual: A tensor of the output's shape that is added after the activation.
  public func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    if isPointwise { return product(x, residual: residual) }
    var conv = settings.kernel(input: ImageShape(x, key), weight: weightShape)
    check(residual, conv.outputShape)
    return LayerTimes.measure(key, work: work(input: x.shape, output: conv.outputShape)) {
      Tensor(shape: conv.outputShape) { y in
        withPointers(x, residual) { x, packed, epilogue in
          if isWinograd {
            df_f32_winograd(&conv, x, inputs, packed, y.baseAddress, outputs, epilogue)
          } else {
            df_f32_conv2d_packed(&conv, x, packed, y.baseAddress, epilogue)
          }
        }
      }
    }
  }

  /// The work of one call. Every tap counts as a multiplication, whatever the method.
  func work(input: [Int], output: [Int]) -> LayerWork {
    LayerWork(
      isPointwise ? .pointwise : isDepthwise ? .depthwise : .convolution, input: input,
      output: output, weights: weightShape.reduce(1, *),
      multiplyAdds: output.reduce(1, *) * weightShape.dropLast().reduce(1, *))
  }

  /// max(0, the convolution of `x` + `residual`), for a pointwise convolution without activation.
  public func relu(_ x: Tensor, adding residual: Tensor) -> Tensor {
    precondition(
      isPointwise && activation == .identity && slopes == nil,
      "\(key): a ReLU of a sum needs a pointwise convolution without activation")
    return product(x, residual: residual, thenReLU: true)
  }

  private func product(
    _ x: Tensor, residual: Tensor?, thenReLU: Bool = false
  ) -> Tensor {
    let image = ImageShape(x, key)
    precondition(
      image.channels == inputs, "\(key): input \(x.shape) does not fit weight \(weightShape)")
    let shape = [image.batch, image.height, image.width, outputs]
    check(residual, shape)
    return LayerTimes.measure(key, work: work(input: x.shape, output: shape)) {
      Tensor(shape: shape) { y in
        withPointers(x, residual, thenReLU: thenReLU) { x, packed, epilogue in
          df_f32_gemm_packed(
            image.batch * image.pixels, outputs, inputs, x, inputs, packed, y.baseAddress,
            outputs, epilogue)
        }
      }
    }
  }

  private func check(_ residual: Tensor?, _ shape: [Int]) {
    precondition(
      residual.map { $0.shape == shape } ?? true,
      "\(key): residual \(residual?.shape ?? []) does not have the output's shape \(shape)")
  }

  func withPointers(
    _ x: Tensor?, _ residual: Tensor?, thenReLU: Bool = false,
    _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<df_epilogue>) -> Void
  ) {
    x.withUnsafePointer { x in
      packed.withUnsafeBuffer { packed in
        withEpilogue(
          bias: bias, activation: activation, slopes: slopes, residual: residual,
          thenReLU: thenReLU
        ) { epilogue in
          body(x, packed.baseAddress, epilogue)
        }
      }
    }
  }
}

extension PackedConv2d {
  /// The method by which a convolution is computed.
  private enum Method: Sendable {
    /// A matrix product over the input's pixels in place.
    case pointwise
    /// Winograd's F(4x4, 3x3): a quarter of the multiplications, four times the weights. With
    /// groups F(2x2, 3x3): 4/9 of the multiplications, 16/9 of the weights.
    case winograd
    /// A matrix product over gathered windows, or the kernels for grouped and depthwise
    /// convolutions.
    case direct

    /// Chooses the fastest method; `weight` is the shape of the weights.
    init(_ settings: ConvolutionSettings, weight: [Int]) {
      let isPlain = settings.stride == 1 && settings.dilation == 1
      let (inputs, outputs) = (weight[2], weight[3] / settings.groups)
      let (least, most) = settings.groups == 1 ? (16, 512) : (32, 128)
      if weight[0] == 1 && weight[1] == 1 && settings.stride == 1 && settings.groups == 1
        && (settings.padding == .none || settings.padding == .sameFromInput)
      {
        self = .pointwise
      } else if weight[0] == 3 && weight[1] == 3 && isPlain && min(inputs, outputs) >= least
        && inputs * outputs <= most * most
      {
        // With fewer channels the transforms take as long as the multiplications that they save.
        // With more channels, reading the larger weights does.
        self = .winograd
      } else {
        self = .direct
      }
    }
  }
}
