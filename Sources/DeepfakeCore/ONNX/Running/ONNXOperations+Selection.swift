extension ONNXOperations {
  /// Slice. Its parameters are settings before version 10, and inputs from then on.
  static func slice(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let settings = (
      starts: try plan.integers("starts"), ends: try plan.integers("ends"),
      axes: try plan.integers("axes")
    )
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let starts = try arguments.list(1, unless: settings.starts) ?? []
      let ends = try arguments.list(2, unless: settings.ends) ?? []
      let axes = try (arguments.list(3, unless: settings.axes) ?? Array(starts.indices))
        .axes(rank: x.rank)
      let steps = try arguments.list(4) ?? starts.map { _ in 1 }
      guard starts.count == axes.count, ends.count == axes.count, steps.count == axes.count,
        !steps.contains(0)
      else {
        throw ONNXMismatch("its starts \(starts), ends \(ends) and steps \(steps) do not fit")
      }
      var (shape, strides, start) = (x.shape, x.strides, 0)
      for (index, axis) in axes.enumerated() {
        let extent = x.shape[axis]
        // No step is longer than the axis, so that no product overflows.
        let step = min(max(steps[index], -extent - 1), extent + 1)
        let bounds = step > 0 ? 0...extent : -1...extent - 1
        func place(_ index: Int) -> Int {
          min(max(index < 0 ? index + extent : index, bounds.lowerBound), bounds.upperBound)
        }
        let first = min(max(place(starts[index]), 0), max(0, extent - 1))
        let isAfterEnd = step > 0 && place(starts[index]) > extent - 1
        let span = step > 0 ? place(ends[index]) - first : first - place(ends[index])
        shape[axis] =
          isAfterEnd || extent == 0 ? 0 : max(0, span).dividedRoundingUp(by: abs(step))
        start += first * strides[axis]
        strides[axis] *= step
      }
      guard shape.allSatisfy({ $0 > 0 }) else { return [try empty(x, shape)] }
      return [x.gathered(shape: shape, strides: strides, start: start)]
    }
  }

  /// A value without elements.
  private static func empty(_ x: ONNXValue, _ shape: [Int]) throws(ONNXMismatch) -> ONNXValue {
    guard case .integers = x else {
      throw ONNXMismatch("its result of shape \(shape) would have no elements")
    }
    return .integers(ONNXIntegers([], shape: shape))
  }

  /// Split. The extents are a setting before version 13, and an input from then on; without them
  /// the parts are equal, except the last from version 18 on.
  static func split(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let axis = try plan.integer("axis", 0)
    let setting = try plan.integers("split")
    let count = try plan.integer("num_outputs", plan.node.outputs.count, in: 1...1 << 20)
    guard count == plan.node.outputs.count else {
      throw ONNXMismatch("it has \(plan.node.outputs.count) outputs instead of \(count)")
    }
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let axis = try axis.axis(rank: x.rank)
      let extent = x.shape[axis]
      let each = extent.dividedRoundingUp(by: count)
      let parts =
        try arguments.list(1, unless: setting)
        ?? (0..<count).map { max(0, min(each, extent - $0 * each)) }
      guard parts.count == count, parts.allSatisfy({ $0 > 0 && $0 <= extent }),
        parts.reduce(0, +) == extent
      else { throw ONNXMismatch("its parts \(parts) do not fit its input \(x.shape)") }
      var first = 0
      return parts.map { part in
        var shape = x.shape
        shape[axis] = part
        defer { first += part }
        return x.gathered(shape: shape, strides: x.strides, start: first * x.strides[axis])
      }
    }
  }

  /// Concat.
  static func concatenate(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let axis = try plan.integer("axis", 1)
    let count = plan.node.inputs.count
    guard count > 0 else { throw ONNXMismatch("it has no inputs") }
    return { arguments throws(ONNXMismatch) in
      let first = try arguments.value(0)
      let axis = try axis.axis(rank: first.rank)
      var shape = first.shape
      shape[axis] = 0
      for index in 0..<count {
        var other = try arguments.value(index).shape
        guard other.count == shape.count else {
          throw ONNXMismatch("its inputs \(first.shape) and \(other) have other numbers of axes")
        }
        shape[axis] += other[axis]
        other[axis] = shape[axis]
        guard other == shape else {
          throw ONNXMismatch("its inputs differ in other axes than \(axis): \(shape), \(other)")
        }
      }
      if case .integers = first {
        _ = try shape.elementCount(limit: ONNXLimit.integers)
        var parts: [ONNXIntegers] = []
        for index in 0..<count { parts.append(try arguments.integers(index)) }
        return [.integers(joined(parts, shape: shape, axis: axis))]
      }
      _ = try shape.elementCount()
      var parts: [ONNXFloats] = []
      for index in 0..<count { parts.append(try arguments.floats(index)) }
      guard let part = parts.first(where: \.isChannelsLast) else {
        return [.floats(ONNXFloats(Tensor.concatenated(parts.map(\.stored), axis: axis)))]
      }
      return [
        .floats(
          ONNXFloats(
            channelsLast: Tensor.concatenated(
              parts.map(\.channelsLast), axis: part.storedAxis(axis))))
      ]
    }
  }

  private static func joined(
    _ parts: [ONNXIntegers], shape: [Int], axis: Int
  ) -> ONNXIntegers {
    let outer = shape[..<axis].reduce(1, *)
    var values: [Int] = []
    for row in 0..<outer {
      for part in parts {
        let length = part.values.count / outer
        values += part.values[row * length..<(row + 1) * length]
      }
    }
    return ONNXIntegers(values, shape: shape)
  }

  /// Gather: the parts of a tensor at some indices along an axis.
  static func gather(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let axis = try plan.integer("axis", 0)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let axis = try axis.axis(rank: x.rank)
      let places = try arguments.integers(1)
      let extent = x.shape[axis]
      var indices: [Int] = []
      for index in places.values {
        guard index >= -extent, index < extent else {
          throw ONNXMismatch("its index \(index) is outside the extent \(extent) of axis \(axis)")
        }
        indices.append(index < 0 ? index + extent : index)
      }
      let shape = x.shape[..<axis] + places.shape + x.shape[(axis + 1)...]
      let inner = x.shape[(axis + 1)...].reduce(1, *)
      let outer = x.shape[..<axis].reduce(1, *)
      switch x {
      case .integers(let integers):
        _ = try Array(shape).elementCount(limit: ONNXLimit.integers)
        var values: [Int] = []
        for row in 0..<outer {
          for index in indices {
            let start = (row * extent + index) * inner
            values += integers.values[start..<start + inner]
          }
        }
        return [.integers(ONNXIntegers(values, shape: Array(shape)))]
      case .floats:
        let stored = try arguments.floats(0).fileOrder
        guard try Array(shape).elementCount(limit: ONNXLimit.expanded) > 0 else {
          return [try empty(x, Array(shape))]
        }
        let y = Tensor(shape: Array(shape)) { y in
          stored.withUnsafeBuffer { x in
            guard let x = x.baseAddress, var target = y.baseAddress else { return }
            for row in 0..<outer {
              for index in indices {
                target.initialize(from: x + (row * extent + index) * inner, count: inner)
                target += inner
              }
            }
          }
        }
        return [.floats(ONNXFloats(y))]
      }
    }
  }

  /// Expand: a tensor repeated to a shape with which it is broadcast.
  static func expand(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      let x = try arguments.value(0)
      let target = try arguments.list(1) ?? []
      guard target.allSatisfy({ $0 > 0 }) else { throw ONNXMismatch("its shape is \(target)") }
      let shape = try x.shape.broadcast(with: target)
      if case .integers = x { _ = try shape.elementCount(limit: ONNXLimit.integers) }
      _ = try shape.elementCount(limit: ONNXLimit.expanded)
      guard shape.allSatisfy({ $0 > 0 }) else { return [try empty(x, shape)] }
      return [x.gathered(shape: shape, strides: x.shape.broadcast(x.strides, to: shape))]
    }
  }

  /// Pad by a number. The margins are a setting before version 11, and an input from then on.
  static func pad(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    _ = try plan.text("mode", ["constant"])
    let setting = try plan.integers("pads")
    let number = try plan.number("value", 0)
    return { arguments throws(ONNXMismatch) in
      let x = try arguments.floats(0)
      let pads = try arguments.list(1, unless: setting) ?? []
      let value = try arguments.number(2) ?? number
      let axes = try (arguments.list(3) ?? Array(0..<x.rank)).axes(rank: x.rank)
      guard pads.count == 2 * axes.count, pads.allSatisfy({ (0...1 << 30).contains($0) }) else {
        throw ONNXMismatch("its margins \(pads) do not fit its input \(x.shape), or are negative")
      }
      var (before, after) = ([Int](repeating: 0, count: x.rank), [Int](repeating: 0, count: x.rank))
      for (index, axis) in axes.enumerated() {
        before[x.storedAxis(axis)] = pads[index]
        after[x.storedAxis(axis)] = pads[axes.count + index]
      }
      let shape = x.stored.shape.indices.map { before[$0] + x.stored.shape[$0] + after[$0] }
      _ = try shape.elementCount(limit: ONNXLimit.expanded)
      return [.floats(x.map { $0.padded(before: before, after: after, value: value) })]
    }
  }

  /// Where, for integers: the second input where the first is true, and the third elsewhere.
  static func choose(_ plan: inout ONNXNodePlan) -> ONNXBody {
    { arguments throws(ONNXMismatch) in
      let condition = try arguments.integers(0)
      let (a, b) = (try arguments.integers(1), try arguments.integers(2))
      let shape = try a.shape.broadcast(with: b.shape).broadcast(with: condition.shape)
      _ = try shape.elementCount(limit: ONNXLimit.integers)
      let choices = (condition.expanded(to: shape), a.expanded(to: shape), b.expanded(to: shape))
      let values = choices.0.values.indices.map {
        choices.0.values[$0] != 0 ? choices.1.values[$0] : choices.2.values[$0]
      }
      return [.integers(ONNXIntegers(values, shape: shape))]
    }
  }
}
