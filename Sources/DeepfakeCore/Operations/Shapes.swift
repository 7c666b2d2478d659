/// The same elements under another shape.
package struct Reshape: Operation {
  /// The extents; one may be -1: what is left over.
  package let shape: [Int]

  /// The operation of one target shape.
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

  /// The gradient under the input's shape.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.viewed(as: saved[0].recordedShape)]
  }
}

/// The axes in another order.
package struct Transpose: Operation {
  /// For each axis of the output, the axis of the input.
  package let permutation: [Int]

  /// The operation of one permutation.
  package init(_ permutation: [Int]) {
    self.permutation = permutation
  }

  /// Inputs: x.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let x = inputs[0]
    precondition(
      permutation.sorted() == Array(0..<x.rank),
      "transpose: \(permutation) is no permutation of the axes of \(x.shape)")
    let strides = x.strides
    return (
      x.gathered(shape: permutation.map { x.shape[$0] }, strides: permutation.map { strides[$0] }),
      []
    )
  }

  /// The gradient with its axes put back.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    var inverse = permutation
    for (axis, source) in permutation.enumerated() { inverse[source] = axis }
    return [gradient.transposed(inverse)]
  }
}

/// The elements along some axes in reverse.
package struct Flip: Operation {
  package let axes: [Int]

  /// The operation for those axes.
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

  /// The gradient in reverse.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.flipped(axes: axes)]
  }
}

/// A box out of a tensor, possibly with steps.
package struct Slice: Operation {
  /// The elements taken along each axis.
  package let ranges: [Range<Int>]
  /// Elements from one taken to the next, an axis each.
  package let steps: [Int]

  /// The operation for ranges of every axis; steps are 1 where not given.
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

  /// The gradient where it came from, and zeros.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let origin = ranges.map(\.lowerBound)
    return [gradient.scattered(into: Tensor(zeros: shape), origin: origin, steps: steps)]
  }
}

/// Tensors one after the other along an axis.
package struct Concatenate: Operation {
  /// The axis; negative counts from the last.
  package let axis: Int

  /// The operation for one axis.
  package init(axis: Int) {
    self.axis = axis
  }

  /// Inputs: any number, at least one, whose shapes differ along the axis at most.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    precondition(!inputs.isEmpty, "concatenate: no tensors")
    let first = inputs[0].shape
    let axis = [axis].normalizedAxes(rank: first.count, "concatenate")[0]
    precondition(
      inputs.allSatisfy { x in
        x.rank == first.count
          && first.indices.allSatisfy { $0 == axis || x.shape[$0] == first[$0] }
      }, "concatenate: shapes \(inputs.map(\.shape)) differ beside axis \(axis)")
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

  /// Each input's part of the gradient.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    var offset = 0
    return saved.indices.map { index in
      let shape = saved[index].recordedShape
      let axis = [axis].normalizedAxes(rank: shape.count, "concatenate")[0]
      defer { offset += shape[axis] }
      return wants[index] ? gradient.slice(axis: axis, offset..<offset + shape[axis]) : nil
    }
  }
}

/// A tensor with elements of one value added around it.
package struct Pad: Operation {
  /// Elements added before the first, an axis each.
  package let before: [Int]
  /// Elements added after the last, an axis each.
  package let after: [Int]
  /// Their value.
  package let value: Float

  /// The operation for those amounts.
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

  /// The gradient without its margins.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = gradient.shape
    return [gradient.slice(shape.indices.map { before[$0]..<shape[$0] - after[$0] })]
  }
}

extension Tensor {
  /// The same elements under another shape. One extent may be -1: what is left over.
  public func reshaped(_ shape: [Int]) -> Tensor { Reshape(shape)(self) }

  /// The axes in another order: axis i of the result is axis permutation[i] of this tensor.
  public func transposed(_ permutation: [Int]) -> Tensor { Transpose(permutation)(self) }

  /// The elements along `axes` in reverse; a negative axis counts from the last.
  public func flipped(axes: [Int]) -> Tensor { Flip(axes)(self) }

  /// The box of `ranges`, one an axis.
  public func slice(_ ranges: [Range<Int>], steps: [Int]? = nil) -> Tensor {
    Slice(ranges, steps: steps)(self)
  }

  /// The part in `range` along one axis; a negative axis counts from the last.
  public func slice(axis: Int, _ range: Range<Int>) -> Tensor {
    let axis = [axis].normalizedAxes(rank: rank, "slice")[0]
    return slice(shape.indices.map { $0 == axis ? range : 0..<shape[$0] })
  }

  /// Tensors one after the other along an axis; a negative one counts from the last.
  public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
    Concatenate(axis: axis)(tensors)
  }

  /// Elements of one value added around this tensor, an axis each.
  public func padded(before: [Int], after: [Int], value: Float = 0) -> Tensor {
    Pad(before: before, after: after, value: value)(self)
  }
}

extension [Int] {
  /// The axes counted from the first, in order, each once; stops where one does not exist.
  func normalizedAxes(rank: Int, _ operation: String) -> [Int] {
    let axes = map { $0 < 0 ? $0 + rank : $0 }
    precondition(
      axes.allSatisfy { $0 >= 0 && $0 < rank } && Set(axes).count == count,
      "\(operation): axes \(self) do not fit rank \(rank)")
    return axes.sorted()
  }
}
