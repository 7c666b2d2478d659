/// Which axes a reduction removes, and whether they stay with an extent of 1.
public struct ReductionAxes: Sendable, Equatable {
  /// The axes; negative ones count from the last; nil means all.
  public let axes: [Int]?
  /// Whether the removed axes stay with an extent of 1.
  public let keepsDimensions: Bool

  /// All axes, removed, unless told otherwise.
  public init(_ axes: [Int]? = nil, keepsDimensions: Bool = false) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  func resolved(rank: Int, _ operation: String) -> Set<Int> {
    Set((axes ?? Array(0..<rank)).normalizedAxes(rank: rank, operation))
  }

  func outputShape(_ shape: [Int], _ removed: Set<Int>) -> [Int] {
    shape.indices.compactMap {
      removed.contains($0) ? (keepsDimensions ? 1 : nil) : shape[$0]
    }
  }
}

/// The sum over some axes.
public struct Sum: Operation {
  /// The axes.
  public let axes: ReductionAxes

  /// The operation over those axes.
  public init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. Sums are taken in double precision.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "sum", initial: 0.0) {
      $0 + Double($1)
    } finish: { sum, _ in
      Float(sum)
    }
    return (output, [inputs[0].shapeRecord])
  }
}

/// The mean over some axes.
public struct Mean: Operation {
  /// The axes.
  public let axes: ReductionAxes

  /// The operation over those axes.
  public init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. The mean of nothing is NaN.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "mean", initial: 0.0) {
      $0 + Double($1)
    } finish: { sum, count in
      Float(sum / Double(count))
    }
    return (output, [inputs[0].shapeRecord])
  }
}

/// The largest element over some axes.
public struct LargestElement: Operation {
  /// The axes.
  public let axes: ReductionAxes

  /// The operation over those axes.
  public init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. A NaN wins; the largest of nothing is -infinity.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "max", initial: -Float.infinity) {
      $1 > $0 || $1.isNaN ? $1 : $0
    } finish: { value, _ in
      value
    }
    return (output, [inputs[0], output])
  }
}

/// The smallest element over some axes.
public struct SmallestElement: Operation {
  /// The axes.
  public let axes: ReductionAxes

  /// The operation over those axes.
  public init(_ axes: ReductionAxes) {
    self.axes = axes
  }

  /// Inputs: x. A NaN wins; the smallest of nothing is infinity.
  public func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let output = inputs[0].reduced(axes, "min", initial: Float.infinity) {
      $1 < $0 || $1.isNaN ? $1 : $0
    } finish: { value, _ in
      value
    }
    return (output, [inputs[0], output])
  }
}

extension Tensor {
  /// The sum over `axes` (all where nil), in double precision.
  public func sum(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    Sum(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The mean over `axes` (all where nil).
  public func mean(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    Mean(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The largest element over `axes` (all where nil).
  public func max(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    LargestElement(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The smallest element over `axes` (all where nil).
  public func min(axes: [Int]? = nil, keepsDimensions: Bool = false) -> Tensor {
    SmallestElement(ReductionAxes(axes, keepsDimensions: keepsDimensions))(self)
  }

  /// The index of the first largest element along the last axis, for every row in order. A NaN wins.
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

  /// A reduction: each output element starts at `initial`, takes in its elements in row-major order by
  /// `combine`, and is turned into a float by `finish`, which also gets their number.
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
    // Trailing axes of one kind are one inner loop: over a row's elements into one total where they
    // are removed, into a total each where they stay.
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
