/// The same elements with another shape.
package struct Reshape: Operation {
  /// The extents. One may be -1; it is computed from the number of elements.
  package let shape: [Int]

  package init(_ shape: [Int]) {
    self.shape = shape
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    var resolved = shape
    if let open = shape.firstIndex(of: -1) {
      let rest = shape.indices.reduce(1) { $1 == open ? $0 : $0 * shape[$1] }
      precondition(
        rest > 0 && x.count % rest == 0, "reshape: \(x.shape) does not divide into \(shape)")
      resolved[open] = x.count / rest
    }
    return (x.viewed(as: resolved), [x.shapeRecord])
  }

  /// The gradient with the input's shape.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.viewed(as: saved[0].recordedShape)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    if x.shape == output { return x }
    // The first axis is the batch, which the file leaves open: it is kept, or what is left.
    var target = output
    if let open = shape.firstIndex(of: -1) {
      target[open] = -1
    } else if x.shape.first != output.first, !output.isEmpty {
      target[0] = -1
    }
    if x.shape.first == output.first, target.first != -1, !output.isEmpty { target[0] = 0 }
    return graph.value("Reshape", [graph.name(x), graph.integers(target)], shape: output)
  }
}

/// The axes in another order.
package struct Transpose: Operation {
  /// For each axis of the output, the axis of the input.
  package let permutation: [Int]

  package init(_ permutation: [Int]) {
    self.permutation = permutation
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    precondition(
      permutation.sorted() == Array(0..<x.rank),
      "transpose: \(permutation) is not a permutation of the axes of \(x.shape)")
    let strides = x.strides
    return (
      x.gathered(shape: permutation.map { x.shape[$0] }, strides: permutation.map { strides[$0] }),
      []
    )
  }

  /// The gradient with its axes in the input's order.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return [gradient.transposed(inverse)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    // The graph's values stay as they are; only the order in which dfkit names their axes changes.
    let x = inputs[0]
    let order = x.order.map { axis in permutation.firstIndex(of: axis) ?? 0 }
    return TracedValue(.graph(graph.name(x, in: x.order)), shape: output, order: order)
  }
}

/// The elements in reverse order along some axes.
package struct Flip: Operation {
  package let axes: [Int]

  package init(_ axes: [Int]) {
    self.axes = axes
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    var (strides, start) = (x.strides, 0)
    for axis in axes.normalizedAxes(rank: x.rank, "flip") where x.shape[axis] > 0 {
      start += strides[axis] * (x.shape[axis] - 1)
      strides[axis] = -strides[axis]
    }
    return (x.gathered(shape: x.shape, strides: strides, start: start), [])
  }

  /// The gradient in reverse order along the same axes.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.flipped(axes: axes)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    let axes = axes.normalizedAxes(rank: x.rank, "flip").map { x.position(of: $0) }
    return graph.slice(
      x, axes.map { GraphBuilder.Cut(axis: $0, start: -1, end: -Int(Int32.max), step: -1) },
      output: output)
  }
}

/// A box of elements of a tensor, optionally with steps.
package struct Slice: Operation {
  /// The range of elements along each axis.
  package let ranges: [Range<Int>]
  /// The distance between elements to take, for each axis.
  package let steps: [Int]

  /// Creates the operation from a range for each axis; the default steps are 1.
  package init(_ ranges: [Range<Int>], steps: [Int]? = nil) {
    self.ranges = ranges
    self.steps = steps ?? ranges.map { _ in 1 }
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    precondition(
      ranges.count == x.rank && steps.count == x.rank && steps.allSatisfy { $0 > 0 }
        && zip(ranges, x.shape).allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= $1 },
      "slice: \(ranges) in steps of \(steps) is not within shape \(x.shape)")
    let strides = x.strides
    let output = x.gathered(
      shape: zip(ranges, steps).map { $0.count.dividedRoundingUp(by: $1) },
      strides: zip(strides, steps).map { $0 * $1 },
      start: zip(strides, ranges).reduce(0) { $0 + $1.0 * $1.1.lowerBound })
    return (output, [x.shapeRecord])
  }

  /// The gradient at the elements that were taken, and zeros elsewhere.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let origin = ranges.map(\.lowerBound)
    return [gradient.scattered(into: Tensor(zeros: shape), origin: origin, steps: steps)]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    let cuts = x.shape.indices.filter { ranges[$0] != 0..<x.shape[$0] || steps[$0] != 1 }
    return graph.slice(
      x,
      cuts.map {
        GraphBuilder.Cut(
          axis: x.position(of: $0), start: ranges[$0].lowerBound, end: ranges[$0].upperBound,
          step: steps[$0])
      }, output: output)
  }
}

/// Tensors concatenated along an axis.
package struct Concatenate: Operation {
  /// The axis; a negative axis counts from the last.
  package let axis: Int

  package init(axis: Int) {
    self.axis = axis
  }

  /// Inputs: at least one tensor. The shapes may differ only along the axis.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    precondition(!inputs.isEmpty, "concatenate: no tensors")
    let first = inputs[0].shape
    let axis = [axis].normalizedAxes(rank: first.count, "concatenate")[0]
    precondition(
      inputs.allSatisfy { x in
        x.rank == first.count
          && first.indices.allSatisfy { $0 == axis || x.shape[$0] == first[$0] }
      }, "concatenate: shapes \(inputs.map(\.shape)) differ in other axes than \(axis)")
    var shape = first
    shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
    let outer = shape[..<axis].reduce(1, *)
    let rowLength = shape[axis...].reduce(1, *)
    let output = Tensor(shape: shape) { y in
      var offset = 0
      for x in inputs {
        let length = x.shape[axis...].reduce(1, *)
        x.withUnsafeBuffer { x in
          for row in 0..<outer {
            let target = y[row * rowLength + offset..<row * rowLength + offset + length]
            _ = UnsafeMutableBufferPointer(rebasing: target)
              .initialize(from: x[row * length..<(row + 1) * length])
          }
        }
        offset += length
      }
    }
    return (output, inputs.map(\.shapeRecord))
  }

  /// The part of the gradient that belongs to each input.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    var offset = 0
    return saved.indices.map { index in
      let shape = saved[index].recordedShape
      let axis = [axis].normalizedAxes(rank: shape.count, "concatenate")[0]
      defer { offset += shape[axis] }
      return wants[index] ? gradient.slice(axis: axis, offset..<offset + shape[axis]) : nil
    }
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let order = inputs.first { !$0.isConstant }?.order ?? Array(output.indices)
    let position = TracedValue(.graph(""), shape: output, order: order).position(of: axis)
    return graph.value(
      "Concat", inputs.map { graph.name($0, in: order) }, ["axis": .integer(Int64(position))],
      shape: output, order: order)
  }
}

/// A tensor with a margin of constant elements.
package struct Pad: Operation {
  /// The number of elements added before the first, for each axis.
  package let before: [Int]
  /// The number of elements added after the last, for each axis.
  package let after: [Int]
  /// The value of the added elements.
  package let value: Float

  package init(before: [Int], after: [Int], value: Float = 0) {
    self.before = before
    self.after = after
    self.value = value
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    precondition(
      before.count == x.rank && after.count == x.rank && (before + after).allSatisfy { $0 >= 0 },
      "pad: \(before) and \(after) do not fit shape \(x.shape)")
    let shape = x.shape.indices.map { before[$0] + x.shape[$0] + after[$0] }
    let steps = shape.map { _ in 1 }
    let output = x.scattered(
      into: Tensor(repeating: value, shape: shape), origin: before, steps: steps)
    return (output, [])
  }

  /// The gradient without the margins.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = gradient.shape
    return [gradient.slice(shape.indices.map { before[$0]..<shape[$0] - after[$0] })]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let x = inputs[0]
    let pads = x.order.map { before[$0] } + x.order.map { after[$0] }
    return graph.value(
      "Pad", [graph.name(x, in: x.order), graph.integers(pads), graph.constant(value)],
      shape: output,
      order: x.order)
  }
}

extension Tensor {
  /// The same elements with another shape. One extent may be -1; it is computed from the number of
  /// elements.
  public func reshaped(_ shape: [Int]) -> Tensor { Reshape(shape)(self) }

  /// The axes in another order: axis i of the result is axis permutation[i] of this tensor.
  public func transposed(_ permutation: [Int]) -> Tensor { Transpose(permutation)(self) }

  /// The elements in reverse order along `axes`; a negative axis counts from the last.
  public func flipped(axes: [Int]) -> Tensor { Flip(axes)(self) }

  /// The box of elements in `ranges`, one for each axis; the default steps are 1.
  public func slice(_ ranges: [Range<Int>], steps: [Int]? = nil) -> Tensor {
    Slice(ranges, steps: steps)(self)
  }

  /// The part in `range` along one axis; a negative axis counts from the last.
  public func slice(axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = [axis].normalizedAxes(rank: rank, "slice")[0]
    return slice(shape.indices.map { $0 == axis ? range : 0..<shape[$0] })
  }

  /// The tensors concatenated along an axis; a negative axis counts from the last.
  public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    Concatenate(axis: axis)(tensors)
  }

  /// This tensor with elements of `value` added before and after it; one number for each axis.
  public func padded(before: [Int], after: [Int], value: Float = 0) -> Tensor {
    Pad(before: before, after: after, value: value)(self)
  }
}

extension [Int] {
  /// The axes counted from the first and sorted. An axis that does not exist or occurs twice is a
  /// programmer error.
  func normalizedAxes(rank: Int, _ operation: String) -> [Int] {
    let axes = map { $0 < 0 ? $0 + rank : $0 }
    precondition(
      axes.allSatisfy { $0 >= 0 && $0 < rank } && Set(axes).count == count,
      "\(operation): axes \(self) do not fit rank \(rank)")
    return axes.sorted()
  }
}
