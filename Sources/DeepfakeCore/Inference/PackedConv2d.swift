import CDFKernels

/// A convolution made ready for inference: batch norm folded in, weights packed for the kernels, and
/// activation and residual applied to output tiles while they are in cache.
///
/// The kernels' choice of instruction set is part of the packing; it must not change afterwards.
public struct PackedConv2d: Sendable {
  /// Channels of the input.
  public let inputs: Int
  /// Channels of the output.
  public let outputs: Int

  private let key: String
  private let settings: ConvolutionSettings
  private let weightShape: [Int]
  private let packed: Tensor
  private let bias: Tensor?
  private let activation: Activation
  private let slopes: Tensor?

  /// Packs `conv`, followed by `norm` and `activation` or `prelu`, and releases their parameters. A
  /// depthwise convolution takes no `prelu`.
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
    packed = Self.pack(conv, folding)
    for parameter in [conv.weight, conv.bias, prelu?.weight] { parameter?.release() }
    if let norm {
      for parameter in [norm.weight, norm.bias, norm.runningMean, norm.runningVariance] {
        parameter.release()
      }
    }
    precondition(slopes == nil || !isDepthwise, "\(key): a depthwise convolution takes no PReLU")
  }

  /// Whether each channel is convolved by itself.
  public var isDepthwise: Bool { settings.groups == inputs && inputs == outputs && inputs > 1 }

  /// Whether this is a matrix product over pixels, read in place.
  public var isPointwise: Bool { Self.isPointwise(settings, weight: weightShape) }

  private static func isPointwise(_ settings: ConvolutionSettings, weight: [Int]) -> Bool {
    weight[0] == 1 && weight[1] == 1 && settings.stride == 1 && settings.groups == 1
      && (settings.padding == .none || settings.padding == .sameFromInput)
  }

  private static func pack(_ conv: Conv2d, _ folding: NormFolding?) -> Tensor {
    let (settings, shape) = (conv.settings, conv.weight.shape)
    if isPointwise(settings, weight: shape) { return conv.packedInPanels(folding) }
    let weight = folding.map { $0.scaling(conv.weight.value) } ?? conv.weight.value
    return weight.withUnsafeBuffer { weight in
      // Packing depends on the kernel and the groups alone; the input's size is a stand-in.
      var conv = df_conv2d(
        batch: 1, in_height: shape[0], in_width: shape[1], in_channels: shape[2] * settings.groups,
        out_height: 1, out_width: 1, out_channels: shape[3], kernel_height: shape[0],
        kernel_width: shape[1], stride_height: settings.stride.height,
        stride_width: settings.stride.width, dilation_height: settings.dilation.height,
        dilation_width: settings.dilation.width, pad_top: 0, pad_left: 0, groups: settings.groups)
      return Tensor(shape: [df_f32_conv2d_packed_count(&conv)]) {
        df_f32_conv2d_pack(&conv, weight.baseAddress, $0.baseAddress)
      }
    }
  }

  /// The convolved images [batch, height, width, out] of `x` [batch, height, width, in].
  ///
  /// - Parameters:
  ///   - residual: added after the activation; of the output's shape.
  ///   - gate: [batch, in], multiplied into each image's channels while they are read: a
  ///     squeeze-and-excitation's scales. Pointwise convolutions only.
  public func callAsFunction(
    _ x: Tensor, residual: Tensor? = nil, gate: Tensor? = nil
  ) -> Tensor {
    if isPointwise { return product(x, residual: residual, gate: gate) }
    precondition(gate == nil, "\(key): a gate needs a pointwise convolution, not \(weightShape)")
    var conv = settings.kernel(input: ImageShape(x, key), weight: weightShape)
    check(residual, conv.outputShape)
    return LayerTimes.measure(key, work: work(x, output: conv.outputShape)) {
      Tensor(shape: conv.outputShape) { y in
        withPointers(x, residual) { x, packed, epilogue in
          df_f32_conv2d_packed(&conv, x, packed, y.baseAddress, epilogue)
        }
      }
    }
  }

  /// What a call on `x` has to do.
  private func work(_ x: Tensor, output: [Int]) -> LayerWork {
    LayerWork(
      isPointwise ? .pointwise : isDepthwise ? .depthwise : .convolution, input: x.shape,
      output: output, weights: weightShape.reduce(1, *),
      multiplyAdds: output.reduce(1, *) * weightShape.dropLast().reduce(1, *))
  }

  /// The output of a depthwise convolution and, [batch, channels], its sum over each image's pixels:
  /// what squeeze-and-excitation starts from.
  public func withSums(_ x: Tensor) -> (output: Tensor, sums: Tensor) {
    precondition(isDepthwise, "\(key): sums need a depthwise convolution, not \(weightShape)")
    var conv = settings.kernel(input: ImageShape(x, key), weight: weightShape)
    var output: Tensor?
    let sums = LayerTimes.measure(key, work: work(x, output: conv.outputShape)) {
      Tensor(shape: [conv.batch, outputs]) { sums in
        output = Tensor(shape: conv.outputShape) { y in
          withPointers(x, nil) { x, packed, epilogue in
            df_f32_depthwise_sums(&conv, x, packed, y.baseAddress, epilogue, sums.baseAddress)
          }
        }
      }
    }
    return (output ?? Tensor(zeros: conv.outputShape), sums)
  }

  private func product(_ x: Tensor, residual: Tensor?, gate: Tensor?) -> Tensor {
    let image = ImageShape(x, key)
    precondition(
      image.channels == inputs, "\(key): input \(x.shape) does not fit weight \(weightShape)")
    let shape = [image.batch, image.height, image.width, outputs]
    check(residual, shape)
    precondition(
      gate.map { $0.shape == [image.batch, inputs] } ?? true,
      "\(key): gate \(gate?.shape ?? []) is not [batch, channels] of input \(x.shape)")
    return LayerTimes.measure(key, work: work(x, output: shape)) {
      Tensor(shape: shape) { y in
        gate.withUnsafePointer { gate in
          withPointers(x, residual) { x, packed, epilogue in
            df_f32_gemm_packed(
              image.batch * image.pixels, outputs, inputs, x, inputs, gate, image.pixels, packed,
              y.baseAddress, outputs, epilogue)
          }
        }
      }
    }
  }

  private func check(_ residual: Tensor?, _ shape: [Int]) {
    precondition(
      residual.map { $0.shape == shape } ?? true,
      "\(key): residual \(residual?.shape ?? []) is not of the output's shape \(shape)")
  }

  private func withPointers(
    _ x: Tensor, _ residual: Tensor?,
    _ body: (UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<df_epilogue>) -> Void
  ) {
    x.withUnsafeBuffer { x in
      packed.withUnsafeBuffer { packed in
        withEpilogue(bias: bias, activation: activation, slopes: slopes, residual: residual) {
          epilogue in
          body(x.baseAddress, packed.baseAddress, epilogue)
        }
      }
    }
  }
}
