import DeepfakeCore

/// Every operation, with its settings' kinds. `OperationCatalogueTests` checks each line, and that
/// no operation of the sources is missing.
enum OperationCatalogue {
  static let all =
    arithmetic + elementwise + reductions + shapes + losses + products + convolutions + norms
    + pooling + recurrence

  static let arithmetic: [CatalogueEntry] = [
    CatalogueEntry("add", Add(), [.any([3, 4]), .any([3, 4])]),
    CatalogueEntry("add, broadcast", Add(), [.any([2, 3, 1, 4]), .any([3, 5, 1])]),
    CatalogueEntry("subtract", Subtract(), [.any([3, 4]), .any([3, 4])]),
    CatalogueEntry("subtract, broadcast", Subtract(), [.any([4]), .any([2, 3, 4])]),
    CatalogueEntry("multiply", Multiply(), [.any([3, 4]), .any([3, 4])]),
    CatalogueEntry("multiply, by scalar", Multiply(), [.any([3, 4]), .any([])]),
    CatalogueEntry("multiply, by image", Multiply(), [.any([2, 3, 2, 4]), .any([2, 1, 1, 1])]),
    CatalogueEntry("multiply, outer", Multiply(), [.any([5, 1]), .any([1, 3])]),
    CatalogueEntry("divide", Divide(), [.any([3, 4]), .positive([3, 4])]),
    CatalogueEntry("divide, broadcast", Divide(), [.any([2, 3, 4]), .positive([3, 1])]),
    CatalogueEntry("divide, of scalar", Divide(), [.any([]), .positive([3, 4])]),
    CatalogueEntry("maximum", Maximum(), [.distinct([3, 4]), .distinct([3, 4], shift: 0.15)]),
    CatalogueEntry(
      "maximum, broadcast", Maximum(), [.distinct([3, 4]), .distinct([4], shift: 0.15)]),
    CatalogueEntry("minimum", Minimum(), [.distinct([3, 4]), .distinct([3, 4], shift: 0.15)]),
    CatalogueEntry(
      "minimum, broadcast", Minimum(), [.distinct([3, 1]), .distinct([4], shift: 0.15)]),
    CatalogueEntry(
      "fixed product", FixedProduct(Tensor([0, 2, -3], shape: [3, 1])), [.any([2, 3, 4])]),
    CatalogueEntry(
      "fixed product, larger", FixedProduct(Tensor([1, 2, -3], shape: [3, 1])), [.any([4])]),
  ]

  static let elementwise: [CatalogueEntry] = [
    CatalogueEntry("exp", Exponential(), [.any([3, 7])]),
    CatalogueEntry("log", Logarithm(), [.positive([3, 7])]),
    CatalogueEntry("square root", SquareRoot(), [.positive([3, 7])]),
    CatalogueEntry("abs", AbsoluteValue(), [.apart([3, 7], from: [0])]),
    CatalogueEntry("negate", Negate(), [.any([3, 7])]),
    CatalogueEntry("square", Power(2), [.any([3, 7])]),
    CatalogueEntry("cube", Power(3), [.any([3, 7])]),
    CatalogueEntry("power 0", Power(0), [.any([3, 7])]),
    CatalogueEntry("power 1.7", Power(1.7), [.positive([3, 7])]),
    CatalogueEntry("power -0.5", Power(-0.5), [.positive([3, 7])]),
    CatalogueEntry("clamp", Clamp(to: -0.5...1), [.apart([3, 7], from: [-0.5, 1])]),
    CatalogueEntry("identity", Activate(.identity), [.any([3, 7])]),
    CatalogueEntry("relu", Activate(.relu), [.apart([3, 7], from: [0])]),
    CatalogueEntry("relu6", Activate(.relu6), [.apart([3, 7], from: [0, 6])]),
    CatalogueEntry(
      "leaky relu", Activate(.leakyReLU(slope: 0.1)), [.apart([3, 7], from: [0])]),
    CatalogueEntry("silu", Activate(.silu), [.any([3, 7])]),
    CatalogueEntry("sigmoid", Activate(.sigmoid), [.any([3, 7])]),
    CatalogueEntry("tanh", HyperbolicTangent(), [.any([3, 7])]),
    CatalogueEntry("prelu", ParametricReLU(), [.apart([2, 3, 5], from: [0]), .any([5])]),
    CatalogueEntry("softmax, last", Softmax(axis: -1), [.any([3, 5])]),
    CatalogueEntry("softmax, first", Softmax(axis: 0), [.any([3, 2, 2])]),
    CatalogueEntry("log-softmax, last", LogSoftmax(axis: -1), [.any([3, 5])]),
    CatalogueEntry("log-softmax, middle", LogSoftmax(axis: 1), [.any([2, 3, 2])]),
  ]

  static let reductions: [CatalogueEntry] = [
    CatalogueEntry("sum", Sum(ReductionAxes()), [.any([3, 5])]),
    CatalogueEntry("sum, rows", Sum(ReductionAxes([0])), [.any([4, 19])]),
    CatalogueEntry("sum, middle", Sum(ReductionAxes([1, 2])), [.any([2, 3, 2, 5])]),
    CatalogueEntry(
      "sum, apart", Sum(ReductionAxes([0, 2], keepsDimensions: true)), [.any([2, 3, 4])]),
    CatalogueEntry("sum, none", Sum(ReductionAxes([])), [.any([2, 3])]),
    CatalogueEntry("mean", Mean(ReductionAxes()), [.any([3, 5])]),
    CatalogueEntry(
      "mean, last", Mean(ReductionAxes([-1], keepsDimensions: true)), [.any([3, 5])]),
    CatalogueEntry("mean, apart", Mean(ReductionAxes([0, 2])), [.any([2, 3, 4])]),
    CatalogueEntry("max", LargestElement(ReductionAxes()), [.distinct([3, 5])]),
    CatalogueEntry("max, apart", LargestElement(ReductionAxes([0, 2])), [.distinct([2, 3, 4])]),
    CatalogueEntry("min", SmallestElement(ReductionAxes([1])), [.distinct([3, 5])]),
    CatalogueEntry(
      "min, kept", SmallestElement(ReductionAxes([0], keepsDimensions: true)),
      [.distinct([3, 5])]),
  ]

  static let shapes: [CatalogueEntry] = [
    CatalogueEntry("reshape", Reshape([4, -1]), [.any([2, 3, 4])]),
    CatalogueEntry("transpose", Transpose([1, 0]), [.any([5, 7])]),
    CatalogueEntry("transpose, to channels first", Transpose([0, 3, 1, 2]), [.any([2, 3, 2, 3])]),
    CatalogueEntry("transpose, around", Transpose([2, 0, 1]), [.any([2, 3, 4])]),
    CatalogueEntry("flip", Flip([0, -1]), [.any([2, 3, 4])]),
    CatalogueEntry("slice", Slice([1..<3, 0..<4]), [.any([3, 5])]),
    CatalogueEntry("slice, steps", Slice([0..<5, 1..<6], steps: [2, 3]), [.any([5, 7])]),
    CatalogueEntry("concatenate", Concatenate(axis: 0), [.any([2, 3]), .any([1, 3])]),
    CatalogueEntry(
      "concatenate, last", Concatenate(axis: -1),
      [.any([2, 3, 1]), .any([2, 3, 4]), .any([2, 3, 2])]),
    CatalogueEntry("pad", Pad(before: [1, 0], after: [0, 2], value: 0.5), [.any([3, 4])]),
  ]

  static let losses: [CatalogueEntry] = [
    CatalogueEntry(
      "binary cross-entropy", BinaryCrossEntropy(), [.any([7]), .probability([7])]),
    CatalogueEntry(
      "binary cross-entropy, weighted",
      BinaryCrossEntropy(smoothing: 0.1, positiveWeight: 3, negativeWeight: 0.5),
      [.any([7]), .probability([7])]),
    CatalogueEntry("focal", FocalLoss(), [.any([7]), .probability([7])]),
    CatalogueEntry(
      "focal, steep", FocalLoss(alpha: nil, gamma: 0.5), [.any([7]), .probability([7])]),
    CatalogueEntry("focal, flat", FocalLoss(gamma: 0), [.any([7]), .probability([7])]),
    CatalogueEntry("squared error", SquaredError(), [.any([3, 5]), .any([3, 5])]),
    CatalogueEntry(
      "smooth L1", SmoothL1(beta: 0.45), [.distinct([3, 5]), .distinct([3, 5], shift: 0.1)]),
    CatalogueEntry("L1", SmoothL1(beta: 0), [.distinct([3, 5]), .distinct([3, 5], shift: 0.15)]),
    CatalogueEntry("cross-entropy", CrossEntropy(), [.any([4, 3]), .probability([4, 3])]),
  ]

  static let products: [CatalogueEntry] = [
    CatalogueEntry("product", MatrixProduct(), [.any([3, 5]), .any([5, 4])]),
    CatalogueEntry(
      "product, left", MatrixProduct(transposesLeft: true), [.any([5, 3]), .any([5, 4])]),
    CatalogueEntry(
      "product, right", MatrixProduct(transposesRight: true), [.any([3, 5]), .any([4, 5])]),
    CatalogueEntry(
      "product, both", MatrixProduct(transposesLeft: true, transposesRight: true),
      [.any([2, 5, 3]), .any([2, 4, 5])]),
    CatalogueEntry("product, stacks", MatrixProduct(), [.any([2, 3, 5]), .any([2, 5, 4])]),
    CatalogueEntry("product, one right", MatrixProduct(), [.any([2, 3, 5]), .any([5, 4])]),
    CatalogueEntry(
      "product, one left", MatrixProduct(transposesLeft: true), [.any([5, 3]), .any([2, 5, 4])]),
    CatalogueEntry("channel scale", ChannelScale(), [.any([2, 3, 2, 5]), .any([2, 5])]),
    CatalogueEntry(
      "channel scale, kept axes", ChannelScale(), [.any([2, 3, 2, 5]), .any([2, 1, 1, 5])]),
    CatalogueEntry(
      "squeeze and excite", SqueezeExcitation(),
      [.any([2, 3, 2, 5]), .any([1, 1, 5, 3]), .any([3]), .any([1, 1, 3, 5]), .any([5])]),
  ]

  static let convolutions: [CatalogueEntry] = [
    convolution("1x1", [2, 3, 4, 3], [1, 1, 3, 5], bias: true),
    convolution("1x1, stride", [1, 5, 4, 3], [1, 1, 3, 2], stride: 2),
    convolution("3x3", [2, 4, 5, 2], [3, 3, 2, 3], padding: .symmetric(1), bias: true),
    convolution(
      "stride, SAME", [1, 6, 5, 3], [3, 3, 3, 4], stride: 2, padding: .sameFromInput),
    convolution(
      "uneven", [1, 7, 6, 2], [3, 2, 2, 3], stride: Size2d(height: 1, width: 2),
      padding: .explicit(top: 2, left: 0, bottom: 1, right: 3), dilation: 2),
    convolution("groups", [1, 4, 4, 4], [3, 3, 2, 6], padding: .symmetric(1), groups: 2),
    convolution("multiplied", [1, 4, 3, 3], [3, 3, 1, 6], padding: .symmetric(1), groups: 3),
    convolution("depthwise", [2, 4, 5, 5], [3, 3, 1, 5], padding: .symmetric(1), groups: 5),
    convolution(
      "depthwise, stride", [1, 7, 6, 3], [5, 5, 1, 3], stride: 2, padding: .symmetric(2),
      groups: 3, bias: true),
    convolution(
      "depthwise, dilated", [1, 6, 6, 3], [3, 3, 1, 3], padding: .sameFromInput, dilation: 2,
      groups: 3),
  ]

  private static func convolution(
    _ name: String, _ x: [Int], _ weight: [Int], stride: Size2d = 1, padding: Padding = .none,
    dilation: Size2d = 1, groups: Int = 1, bias: Bool = false
  ) -> CatalogueEntry {
    let settings = ConvolutionSettings(
      stride: stride, padding: padding, dilation: dilation, groups: groups)
    return CatalogueEntry(
      "convolution, \(name)", Convolution(settings),
      [.any(x), .any(weight)] + (bias ? [.any([weight[3]])] : []))
  }

  static let norms: [CatalogueEntry] = [
    CatalogueEntry(
      "group norm", GroupNormalization(groups: 2, epsilon: 1e-3),
      [.any([2, 2, 3, 6]), .any([6]), .any([6])]),
    CatalogueEntry(
      "group norm, one group", GroupNormalization(groups: 1, epsilon: 1e-3),
      [.any([2, 3, 2]), .any([2]), .any([2])]),
    CatalogueEntry(
      "group norm, silu", GroupNormalization(groups: 3, epsilon: 1e-3, activation: .silu),
      [.any([2, 3, 2, 6]), .any([6]), .any([6])]),
    batchNorm("batch norm, fixed", measured: false),
    batchNorm("batch norm, fixed, silu", measured: false, .silu),
    batchNorm("batch norm, measured", measured: true),
    batchNorm("batch norm, measured, silu", measured: true, .silu),
  ]

  private static func batchNorm(
    _ name: String, measured: Bool, _ activation: Activation = .identity
  ) -> CatalogueEntry {
    CatalogueEntry(
      name, BatchNormalization(epsilon: 1e-3, measured: measured, activation: activation),
      [.any([2, 3, 2, 5]), .any([5]), .positive([5]), .any([5]), .any([5])],
      constants: measured ? [1, 2] : []
    ) { inputs in
      guard measured else { return inputs }
      let statistics = inputs[0].channelStatistics()
      return [inputs[0], statistics.mean, statistics.variance] + inputs[3...]
    }
  }

  static let pooling: [CatalogueEntry] = [
    CatalogueEntry(
      "max pool", MaxPooling(PoolingWindows(kernel: 2)), [.distinct([1, 4, 6, 2])]),
    CatalogueEntry(
      "max pool, overlapping",
      MaxPooling(PoolingWindows(kernel: 3, stride: 2, padding: 1, ceilMode: true)),
      [.distinct([1, 6, 5, 2])]),
    CatalogueEntry(
      "average pool", AveragePooling(PoolingWindows(kernel: 3, stride: 2, padding: 1)),
      [.any([2, 5, 6, 2])]),
    CatalogueEntry(
      "average pool, without padding",
      AveragePooling(
        PoolingWindows(kernel: 3, stride: 2, padding: 1, ceilMode: true), countsPadding: false),
      [.any([1, 6, 5, 2])]),
    CatalogueEntry(
      "adaptive average pool", AdaptiveAveragePooling(to: Size2d(height: 3, width: 2)),
      [.any([2, 7, 5, 2])]),
    CatalogueEntry("global average pool", GlobalAveragePooling(), [.any([2, 3, 4, 5])]),
    CatalogueEntry(
      "resize, nearest", Resize(to: Size2d(height: 5, width: 2), method: .nearest),
      [.any([2, 3, 4, 2])]),
    CatalogueEntry(
      "resize, bilinear", Resize(to: Size2d(height: 5, width: 2), method: .bilinear),
      [.any([2, 3, 4, 2])]),
    CatalogueEntry(
      "resize, area", Resize(to: Size2d(height: 4, width: 3), method: .area),
      [.any([2, 3, 7, 2])]),
  ]

  static let recurrence: [CatalogueEntry] = [
    lstm("forward", LSTMSequence(), [2, 4, 3]),
    lstm("one step, without bias", LSTMSequence(.reverse, hasBias: false), [3, 1, 2]),
    lstm("reverse, state", LSTMSequence(.reverse, hasState: true), [2, 3, 3]),
    lstm("both directions", LSTMSequence(.bidirectional), [2, 3, 3]),
    lstm(
      "lengths, state",
      LSTMSequence(lengths: [2, 4, 1], hasBias: false, hasState: true), [3, 4, 2]),
    lstm(
      "reverse, lengths, state",
      LSTMSequence(.reverse, lengths: [2, 4, 1], hasBias: false, hasState: true), [3, 4, 2]),
    lstm(
      "both directions, lengths, state",
      LSTMSequence(.bidirectional, lengths: [3, 2], hasBias: false, hasState: true), [2, 3, 2]),
  ]

  /// `x` is [batch, steps, inputs]; there are two outputs of each direction.
  private static func lstm(
    _ name: String, _ operation: LSTMSequence, _ x: [Int]
  ) -> CatalogueEntry {
    let direction: [TestInput] =
      [.any([x[2], 8]), .any([2, 8])] + (operation.hasBias ? [.any([8]), .any([8])] : [])
      + (operation.hasState ? [.any([x[0], 2]), .any([x[0], 2])] : [])
    return CatalogueEntry(
      "LSTM, \(name)", operation,
      [.any(x)] + (0..<operation.direction.count).flatMap { _ in direction })
  }
}
