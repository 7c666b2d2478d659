/// The axes that a reduction removes, and whether they are kept with an extent of 1.
package struct ReductionAxes: Sendable, Equatable {
  /// The axes; negative axes count from the last. Nil: all axes.
  package let axes: [Int]?
  /// Whether the removed axes are kept with an extent of 1.
  package let keepsDimensions: Bool

  /// Creates axes; by default all axes are removed.
  package init(_ axes: [Int]? = nil, keepsDimensions: Bool = false) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  func resolved(rank: Int, _ operation: String) -> Set<Int> {
    Set((axes ?? Array(0..<rank)).normalizedAxes(rank: rank, operation))
  }

  /// The shape of the result with the removed axes kept at an extent of 1.
  func keptShape(_ shape: [Int], _ operation: String) -> [Int] {
    ReductionAxes(axes, keepsDimensions: true)
      .outputShape(shape, resolved(rank: shape.count, operation))
  }

  func outputShape(_ shape: [Int], _ removed: Set<Int>) -> [Int] {
    shape.indices.compactMap {
      removed.contains($0) ? (keepsDimensions ? 1 : nil) : shape[$0]
    }
  }
}

/// The sum over some axes.
package struct Sum: Operation {
  package let axes: ReductionAxes

  package init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. Sums are computed in double precision.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    (inputs[0].summed(axes, "sum") { sum, _ in Float(sum) }, [inputs[0].shapeRecord])
  }

  /// The gradient, repeated along the removed axes.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.repeated(overReduced: axes, of: saved[0].recordedShape, "sum")]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.reduction("ReduceSum", inputs[0], axes, output: output)
  }
}

/// The mean over some axes.
package struct Mean: Operation {
  package let axes: ReductionAxes

  package init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. The mean of no elements is NaN.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].summed(axes, "mean") { sum, count in Float(sum / Double(count)) }
    return (output, [inputs[0].shapeRecord])
  }

  /// The gradient divided by the number of elements, repeated along the removed axes.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let shape = saved[0].recordedShape
    let each = Float(Tensor.elementCount(of: shape)) / Float(max(1, gradient.count))
    return [(gradient / each).repeated(overReduced: axes, of: shape, "mean")]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.reduction("ReduceMean", inputs[0], axes, output: output)
  }
}

/// The largest element over some axes.
package struct LargestElement: Operation {
  package let axes: ReductionAxes

  package init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. The result is NaN if an element is NaN, and -infinity if there are no elements.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "max", initial: -Float.infinity) {
      $1 > $0 || $1.isNaN ? $1 : $0
    } finish: { value, _ in
      value
    }
    return (output, [inputs[0], output])
  }

  /// The gradient, divided equally among all largest elements, as for PyTorch's `amax`.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.divided(amongEqualTo: saved[1], in: saved[0], axes, "max")]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.reduction("ReduceMax", inputs[0], axes, output: output)
  }
}

/// The smallest element over some axes.
package struct SmallestElement: Operation {
  package let axes: ReductionAxes

  package init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. The result is NaN if an element is NaN, and infinity if there are no elements.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "min", initial: Float.infinity) {
      $1 < $0 || $1.isNaN ? $1 : $0
    } finish: { value, _ in
      value
    }
    return (output, [inputs[0], output])
  }

  /// The gradient, divided equally among all smallest elements, as for PyTorch's `amin`.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    [gradient.divided(amongEqualTo: saved[1], in: saved[0], axes, "min")]
  }

  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    graph.reduction("ReduceMin", inputs[0], axes, output: output)
  }
}

extension Tensor {
  /// The sum over `axes` (nil: all axes), computed in double precision.
  public func sum(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    Sum(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The mean over `axes` (nil: all axes).
  public func mean(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    Mean(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The largest element over `axes` (nil: all axes).
  public func max(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    LargestElement(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The smallest element over `axes` (nil: all axes).
  public func min(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    SmallestElement(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The index of the first largest element along the last axis, for each row in order. If a row
  /// has a NaN, the index of its first NaN.
  public func argmax() -> [Int] {
    precondition((shape.last ?? 0) > 0, "argmax: the last axis of \(shape) is empty")
    let width = shape.last ?? 1
    return withUnsafeBuffer { x in
      (0..<count / width).map { row in
        var best = 0
        for i in 1..<Swift.max(1, width) {
          let (value, so) = (x[row * width + i], x[row * width + best])
          if !so.isNaN && (value > so || value.isNaN) { best = i }
        }
        return best
      }
    }
  }

  /// A reduction's output, repeated to the `shape` of its input.
  fileprivate func repeated(
    overReduced axes: ReductionAxes, of shape: [Int], _ operation: String
  ) -> Tensor {
    let kept = viewed(as: axes.keptShape(shape, operation))
    let removed = axes.resolved(rank: shape.count, operation)
    let strides = kept.strides.enumerated().map { removed.contains($0) ? 0 : $1 }
    return kept.gathered(shape: shape, strides: strides)
  }

  /// This gradient of a reduction's output, divided equally among the elements of x that equal the
  /// output.
  fileprivate func divided(
    amongEqualTo output: Tensor, in x: Tensor, _ axes: ReductionAxes, _ operation: String
  ) -> Tensor {
    let kept = axes.keptShape(x.shape, operation)
    let equal = Tensor.broadcast(x, output.viewed(as: kept), operation) {
      .select($0 .== $1, 1 + .zero, .zero)
    }
    let ties = equal.sum(axes: axes.axes, keepsDimensions: true)
    return equal * (viewed(as: kept) / ties)
  }

  /// The sums over `axes` in double precision. `finish` converts each sum to Float; it also gets
  /// the number of elements in each sum.
  fileprivate func summed(
    _ axes: ReductionAxes, _ operation: String, finish: (Double, Int) -> Float
  ) -> Tensor {
    guard let sums = MiddleSums(shape, removing: axes.resolved(rank: rank, operation)) else {
      return reduced(axes, operation, initial: 0.0) {
        $0 + Double($1)
      } finish: {
        finish($0, $1)
      }
    }
    let totals = withUnsafeBuffer { sums.totals($0) }
    let shape = axes.outputShape(shape, axes.resolved(rank: rank, operation))
    return Tensor(totals.map { finish($0, sums.extent) }, shape: shape)
  }

  /// A reduction. Each output element starts at `initial`, is combined with its input elements in
  /// row-major order, and is converted by `finish`, which also gets their number.
  @inline(__always)
  fileprivate func reduced<Accumulator>(
    _ axes: ReductionAxes, _ operation: String, initial: Accumulator,
    combine: (Accumulator, Float) -> Accumulator, finish: (Accumulator, Int) -> Float
  ) -> Tensor {
    let removed = axes.resolved(rank: rank, operation)
    let outputShape = axes.outputShape(shape, removed)
    let outputCount = Self.elementCount(of: outputShape)
    var outputStrides = [Int](repeating: 0, count: rank)
    var stride = 1
    for axis in shape.indices.reversed() where !removed.contains(axis) {
      outputStrides[axis] = stride
      stride *= shape[axis]
    }
    var totals = [Accumulator](repeating: initial, count: outputCount)
    // The trailing axes that are all removed or all kept form one inner loop. If they are removed,
    // a row is combined into one total; if they are kept, each element of a row has its own total.
    var split = rank
    let innerIsRemoved = removed.contains(rank - 1)
    while split > 0, removed.contains(split - 1) == innerIsRemoved { split -= 1 }
    let width = shape[split...].reduce(1, *)
    withUnsafeBuffer { x in
      totals.withUnsafeMutableBufferPointer { totals in
        guard width > 0 else { return }
        for row in 0..<x.count / width {
          var (offset, rest) = (0, row)
          for axis in (0..<split).reversed() {
            offset += rest % shape[axis] * outputStrides[axis]
            rest /= shape[axis]
          }
          if innerIsRemoved {
            var total = totals[offset]
            for i in row * width..<(row + 1) * width { total = combine(total, x[i]) }
            totals[offset] = total
          } else {
            for i in 0..<width {
              totals[offset + i] = combine(totals[offset + i], x[row * width + i])
            }
          }
        }
      }
    }
    let each = outputCount > 0 ? count / outputCount : 0
    return Tensor(totals.map { finish($0, each) }, shape: outputShape)
  }
}
