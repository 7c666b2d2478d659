/// The parameters of a batch norm that is computed together with the convolution before it.
struct ONNXFusedNorm: Sendable {
  var scale, shift, mean, variance: StoredTensor
  var epsilon: Float

  /// The parameters as tensors. Throws if they do not fit the number of channels.
  func tensors(channels: Int) throws(ONNXMismatch) -> (
    scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
  ) {
    for part in [scale, shift, mean, variance] where part.shape != [channels] {
      throw ONNXMismatch(
        "the norm after it has parameters of shape \(part.shape) for \(channels) channels")
    }
    return (try scale.floats(), try shift.floats(), try mean.floats(), try variance.floats())
  }
}

extension StoredTensor {
  /// The elements as Float32, in a layout that the number of axes must fit.
  func floats(layout: ParameterLayout = .unchanged) throws(ONNXMismatch) -> Tensor {
    do throws(WeightsError) {
      return try tensor(layout: layout)
    } catch {
      throw ONNXMismatch("its weights \(key) of shape \(shape) do not fit it")
    }
  }
}

extension ONNXOperations {
  /// Conv. Weights of the file are packed once; weights that are computed are used as they come.
  static func convolution(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let windows = try ONNXWindows(plan)
    let groups = try plan.integer("group", 1, in: 1...1 << 20)
    guard let weight = plan.weight(1), !plan.has(2) || plan.weight(2) != nil else {
      return computedConvolution(windows, groups: groups, activation: plan.activation)
    }
    let bias = plan.weight(2)
    try check(weight.shape, bias?.shape, windows, groups)
    plan.packed = [1, 2]
    let inputs = weight.shape[1] * groups
    let kernel = Size2d(height: weight.shape[2], width: weight.shape[3])
    let convolve = try packed(plan, windows, groups, weight, bias)
    let outputs = weight.shape[0]
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.images(0)
      let image = ImageShape(x.shape)
      guard image.channels == inputs else {
        throw ONNXMismatch("its input has \(image.channels) channels, its weights \(inputs)")
      }
      let size = try windows.outputSize(of: image, kernel: kernel)
      _ = try [image.batch, size.height, size.width, outputs].elementCount()
      return [.floats(ONNXFloats(channelsLast: convolve(x)))]
    }
  }

  /// The convolution of images that fit it.
  private static func packed(
    _ plan: ONNXNodePlan, _ windows: ONNXWindows, _ groups: Int, _ weight: StoredTensor,
    _ bias: StoredTensor?
  ) throws(ONNXMismatch) -> @Sendable (Tensor) -> Tensor {
    let shape = weight.shape
    let norm = plan.norm
    let isUniform =
      windows.stride.height == windows.stride.width
      && windows.dilation.height == windows.dilation.width
    guard isUniform else {
      let settings = ConvolutionSettings(
        stride: windows.stride, padding: windows.padding, dilation: windows.dilation,
        groups: groups)
      let weights =
        [try weight.floats(layout: .convolution)]
        + (try bias.map { bias throws(ONNXMismatch) in [try bias.floats()] } ?? [])
      let parts = try norm.map { norm throws(ONNXMismatch) in try norm.tensors(channels: shape[0]) }
      let activation = plan.activation
      let epsilon = norm?.epsilon ?? 0
      return { x in
        let y = Convolution(settings)([x] + weights)
        guard let parts else { return y.activated(activation) }
        return y.batchNorm(
          mean: parts.mean, variance: parts.variance, weight: parts.scale, bias: parts.shift,
          epsilon: epsilon, activation: activation)
      }
    }
    let store = ParameterStore()
    let conv = Conv2d(
      store.root / plan.key, shape[1] * groups, shape[0],
      kernel: Size2d(height: shape[2], width: shape[3]), stride: windows.stride.height,
      padding: windows.padding, dilation: windows.dilation.height, groups: groups,
      bias: bias != nil)
    conv.weight.take(weight)
    if let bias { conv.bias?.value = try bias.floats() }
    guard let norm else { return pack(conv, nil, plan.activation) }
    let fused = BatchNorm2d(store.root / plan.key / "norm", shape[0], epsilon: norm.epsilon)
    let parts = try norm.tensors(channels: shape[0])
    fused.weight.value = parts.scale
    fused.bias.value = parts.shift
    fused.runningMean.value = parts.mean
    fused.runningVariance.value = parts.variance
    return pack(conv, fused, plan.activation)
  }

  private static func pack(
    _ conv: Conv2d, _ norm: BatchNorm2d?, _ activation: Activation
  ) -> @Sendable (Tensor) -> Tensor {
    let packed = PackedConv2d(conv, norm: norm, activation: activation)
    return { packed($0) }
  }

  private static func check(
    _ weight: [Int], _ bias: [Int]?, _ windows: ONNXWindows, _ groups: Int
  ) throws(ONNXMismatch) {
    guard weight.count == 4 else {
      throw ONNXMismatch(
        "its weights have the shape \(weight); dfkit has convolutions in two dimensions only")
    }
    let kernel = Size2d(height: weight[2], width: weight[3])
    guard weight.allSatisfy({ $0 > 0 }), weight[0] % groups == 0,
      max(kernel.height, kernel.width) <= ONNXLimit.window, weight[1] <= 1 << 24,
      bias.map({ $0 == [weight[0]] }) ?? true, windows.kernel.map({ $0 == kernel }) ?? true
    else {
      throw ONNXMismatch(
        "its weights \(weight), bias \(bias ?? []), \(groups) groups and kernel do not fit")
    }
  }

  /// A convolution whose weights the graph computes.
  private static func computedConvolution(
    _ windows: ONNXWindows, groups: Int, activation: Activation
  ) -> ONNXBody {
    let settings = ConvolutionSettings(
      stride: windows.stride, padding: windows.padding, dilation: windows.dilation, groups: groups)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.images(0)
      let weight = try arguments.floats(1)
      let bias = arguments.has(2) ? try arguments.floats(2).fileOrder : nil
      let shape = weight.shape
      try check(shape, bias?.shape, windows, groups)
      let image = ImageShape(x.shape)
      guard image.channels == shape[1] * groups else {
        throw ONNXMismatch(
          "its input has \(image.channels) channels, its weights \(shape[1] * groups)")
      }
      let size = try windows.outputSize(
        of: image, kernel: Size2d(height: shape[2], width: shape[3]))
      _ = try [image.batch, size.height, size.width, shape[0]].elementCount()
      let weights = [weight.fileOrder.transposed([2, 3, 1, 0])] + (bias.map { [$0] } ?? [])
      let y = Convolution(settings)([x] + weights).activated(activation)
      return [.floats(ONNXFloats(channelsLast: y))]
    }
  }
}
