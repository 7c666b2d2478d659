/// The loops over the elements of two broadcast tensors, from the outermost to the innermost, with
/// the stride of each input (0 if it repeats). Neighbouring axes through which both inputs run
/// continuously become one loop, so that the innermost loop is as long as possible.
struct BroadcastPlan {
  struct Loop: Equatable {
    var extent, strideA, strideB: Int
  }

  /// The shape of the result.
  let shape: [Int]
  /// At least one loop. The last is the innermost; its strides are 0 or 1.
  let loops: [Loop]

  /// Plans the loops for two shapes; nil if they do not broadcast.
  init?(_ a: [Int], _ b: [Int]) {
    let rank = max(a.count, b.count)
    let a = [Int](repeating: 1, count: rank - a.count) + a
    let b = [Int](repeating: 1, count: rank - b.count) + b
    var shape = [Int](repeating: 1, count: rank)
    var loops: [Loop] = []
    var (strideA, strideB) = (1, 1)
    for axis in (0..<rank).reversed() {
      guard a[axis] == b[axis] || a[axis] == 1 || b[axis] == 1 else { return nil }
      let extent = a[axis] == 1 ? b[axis] : a[axis]
      shape[axis] = extent
      guard extent != 1 else { continue }
      let loop = Loop(
        extent: extent, strideA: a[axis] == 1 ? 0 : strideA, strideB: b[axis] == 1 ? 0 : strideB)
      if let inner = loops.last, loop.strideA == inner.strideA * inner.extent,
        loop.strideB == inner.strideB * inner.extent
      {
        loops[loops.count - 1].extent *= extent
      } else {
        loops.append(loop)
      }
      strideA *= a[axis]
      strideB *= b[axis]
    }
    self.shape = shape
    self.loops = loops.isEmpty ? [Loop(extent: 1, strideA: 1, strideB: 1)] : loops.reversed()
  }
}

extension Tensor {
  /// The result of `combine` for each pair of elements of two tensors, with broadcasting.
  @inline(__always)
  static func broadcast(
    _ a: Tensor, _ b: Tensor, _ operation: String,
    _ combine: @Sendable (Lanes, Lanes) -> Lanes
  ) -> Tensor {
    guard let plan = BroadcastPlan(a.shape, b.shape), let inner = plan.loops.last else {
      preconditionFailure("\(operation): shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let outer = plan.loops.dropLast()
    let rows = outer.reduce(1) { $0 * $1.extent }
    return Tensor(shape: plan.shape) { y in
      a.withUnsafeBuffer { a in
        b.withUnsafeBuffer { b in
          nonisolated(unsafe) let (a, b, y) = (a, b, y)
          // A single long row is divided into pieces; many rows are divided between the tasks.
          let pieces = rows == 1 ? Swift.max(1, inner.extent >> 15) : 1
          let rowsAtOnce = Swift.max(1, (1 << 15) / Swift.max(1, inner.extent))
          Parallel.forEachBlock(rows * pieces, of: pieces > 1 ? 1 : rowsAtOnce) { block in
            for unit in block {
              let (row, piece) = (unit / pieces, unit % pieces)
              var (offsetA, offsetB, rest) = (0, 0, row)
              for loop in outer.reversed() {
                let index = rest % loop.extent
                rest /= loop.extent
                offsetA += index * loop.strideA
                offsetB += index * loop.strideB
              }
              let low = inner.extent * piece / pieces
              let high = inner.extent * (piece + 1) / pieces
              guard let a = a.baseAddress, let b = b.baseAddress, let y = y.baseAddress else {
                return
              }
              combineLanes(
                LaneSource(a + offsetA + low * inner.strideA, repeating: inner.strideA == 0),
                LaneSource(b + offsetB + low * inner.strideB, repeating: inner.strideB == 0),
                y + row * inner.extent + low, high - low, combine)
            }
          }
        }
      }
    }
  }

  /// The sum over the axes along which a tensor of `shape` is repeated to broadcast to this
  /// tensor's shape. It turns the gradient of a broadcast result into the gradient of the smaller
  /// input.
  func summed(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let added = rank - shape.count
    let axes = (0..<rank).filter { $0 < added || (shape[$0 - added] == 1 && self.shape[$0] != 1) }
    return sum(axes: axes).viewed(as: shape)
  }

  /// The shape as a tensor, for operations whose pullback needs an input's shape but not its
  /// elements. Each axis takes two elements, because Float32 is exact only up to 2^24.
  var shapeRecord: Tensor {
    Tensor(shape.flatMap { [Float($0 >> 24), Float($0 & 0xFF_FFFF)] }, shape: [2 * rank])
  }

  /// The shape that is stored in a `shapeRecord`.
  var recordedShape: [Int] {
    let values = scalars
    return stride(from: 0, to: values.count, by: 2).map {
      Int(values[$0]) << 24 | Int(values[$0 + 1])
    }
  }
}
