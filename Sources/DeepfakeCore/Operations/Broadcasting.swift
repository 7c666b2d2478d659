/// How the elements of two broadcast tensors meet: loops from the outermost in, with each input's
/// stride (0 where it repeats). Neighbouring axes that both inputs run through alike are one loop,
/// so that the innermost is as long as can be.
struct BroadcastPlan {
  struct Loop: Equatable {
    var extent, strideA, strideB: Int
  }

  /// The shape of the result.
  let shape: [Int]
  /// At least one; the last is the innermost, where each stride is 0 or 1.
  let loops: [Loop]

  /// The plan for two shapes; nil where they do not fit each other.
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
  /// `combine` of every pair of elements of two tensors that fit each other by broadcasting.
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
          // One long row is split within, many rows between them.
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

  /// The sum over everything that repeats where a tensor of `shape` is broadcast to this one's: the
  /// gradient of the one from this one's.
  func summed(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let added = rank - shape.count
    let axes = (0..<rank).filter { $0 < added || (shape[$0 - added] == 1 && self.shape[$0] != 1) }
    return sum(axes: axes).viewed(as: shape)
  }

  /// The shape as a tensor, for operations whose pullback needs an input's shape but not its
  /// elements: two elements an axis, because Float32 is exact only up to 2^24.
  var shapeRecord: Tensor {
    Tensor(shape.flatMap { [Float($0 >> 24), Float($0 & 0xFF_FFFF)] }, shape: [2 * rank])
  }

  /// The shape that `shapeRecord` wrote down.
  var recordedShape: [Int] {
    let values = scalars
    return stride(from: 0, to: values.count, by: 2).map {
      Int(values[$0]) << 24 | Int(values[$0 + 1])
    }
  }
}
