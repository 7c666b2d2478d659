extension ONNXOperations {
  /// BatchNormalization by the file's statistics.
  static func batchNorm(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let epsilon = try plan.number("epsilon", 1e-5)
    _ = try plan.integer("training_mode", 0, in: 0...0)
    _ = try plan.integer("spatial", 1, in: 1...1)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      let parts = try channelVectors([1, 2, 3, 4], arguments, of: x)
      return [
        .floats(
          onChannels(x) {
            $0.batchNorm(
              mean: parts[2], variance: parts[3], weight: parts[0], bias: parts[1],
              epsilon: epsilon)
          })
      ]
    }
  }

  /// InstanceNormalization.
  static func instanceNorm(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let epsilon = try plan.number("epsilon", 1e-5)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      let parts = try channelVectors([1, 2], arguments, of: x)
      return [
        .floats(
          onChannels(x) {
            $0.groupNorm(
              groups: $0.shape[3], weight: parts[0], bias: parts[1], epsilon: epsilon)
          })
      ]
    }
  }

  /// LayerNormalization over all axes from `axis` on.
  static func layerNorm(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let epsilon = try plan.number("epsilon", 1e-5)
    let axis = try plan.integer("axis", -1)
    _ = try plan.integer("stash_type", 1, in: 1...1)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      let shape = x.shape
      let features = shape[try axis.axis(rank: x.rank)...].reduce(1, *)
      let scale = try arguments.floats(1).fileOrder
      let shift =
        arguments.has(2) ? try arguments.floats(2).fileOrder : Tensor(zeros: [features])
      guard scale.count == features, shift.count == features else {
        throw ONNXMismatch(
          "its scale \(scale.shape) and bias \(shift.shape) do not fit its input \(shape)")
      }
      let rows = x.fileOrder.viewed(as: [x.count / features, features])
      let y = rows.groupNorm(
        groups: 1, weight: scale.viewed(as: [features]), bias: shift.viewed(as: [features]),
        epsilon: epsilon)
      return [.floats(ONNXFloats(y.viewed(as: shape)))]
    }
  }

  /// The inputs at `indices`, each one number a channel of x, which is [batch, channels, ...].
  private static func channelVectors(
    _ indices: [Int], _ arguments: ONNXArguments, of x: ONNXFloats
  ) throws(ONNXMismatch) -> [Tensor] {
    guard x.rank >= 2 else { throw ONNXMismatch("its input \(x.shape) has no channels") }
    var vectors: [Tensor] = []
    for index in indices {
      let vector = try arguments.floats(index).fileOrder
      guard vector.shape == [x.shape[1]] else {
        throw ONNXMismatch(
          "its input \(index + 1) of shape \(vector.shape) does not fit \(x.shape[1]) channels")
      }
      vectors.append(vector)
    }
    return vectors
  }

  /// The result of `norm` for x [batch, channels, ...], which it gets as images in this library's
  /// order.
  private static func onChannels(_ x: ONNXFloats, _ norm: (Tensor) -> Tensor) -> ONNXFloats {
    if x.rank == 4 { return ONNXFloats(channelsLast: norm(x.channelsLast)) }
    let shape = x.shape
    let images = ONNXFloats(
      x.fileOrder.viewed(as: [shape[0], shape[1], shape.dropFirst(2).reduce(1, *), 1]))
    let y = ONNXFloats(channelsLast: norm(images.channelsLast)).fileOrder
    return ONNXFloats(y.viewed(as: shape))
  }

  /// Softmax and LogSoftmax. Before version 13 they treat all axes from `axis` on as one.
  static func softmax(
    _ function: @escaping @Sendable (Tensor, _ axis: Int) -> Tensor
  ) -> ONNXBuilder {
    { plan throws(ONNXMismatch) in
      let isFlattening = plan.opset < 13
      let axis = try plan.integer("axis", isFlattening ? 1 : -1)
      return { arguments throws(ONNXMismatch) in
        let x = try arguments.floats(0)
        let shape = x.shape
        let axis = try axis.axis(rank: x.rank)
        let rest = shape[(axis + 1)...].reduce(1, *)
        guard isFlattening, rest > 1 else {
          return [.floats(x.map { function($0, x.storedAxis(axis)) })]
        }
        let width = shape[axis] * rest
        let rows = x.fileOrder.viewed(as: [x.count / width, width])
        return [.floats(ONNXFloats(function(rows, 1).viewed(as: shape)))]
      }
    }
  }

  /// A reduction of some axes. The axes are a setting in older versions, and an input in newer
  /// ones.
  static func reduction(
    _ reduce: @escaping @Sendable (Tensor, _ axes: [Int]) -> Tensor
  ) -> ONNXBuilder {
    { plan throws(ONNXMismatch) in
      let setting = try plan.integers("axes")
      let keeps = try plan.flag("keepdims", true)
      let keepsAll = try plan.flag("noop_with_empty_axes", false)
      return { arguments throws(ONNXMismatch) in
        let x = try arguments.floats(0)
        let stated = try arguments.list(1, unless: setting) ?? []
        let axes =
          stated.isEmpty && !keepsAll ? Array(0..<x.rank) : try stated.axes(rank: x.rank)
        let y = x.map { reduce($0, axes.map(x.storedAxis)) }
        guard !keeps else { return [.floats(y)] }
        let shape = x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }
        return [ONNXValue.floats(y).reshaped(shape)]
      }
    }
  }
}
