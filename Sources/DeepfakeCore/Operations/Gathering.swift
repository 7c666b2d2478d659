/// A strided walk over memory: the extents of its axes from the outermost, and the distance between
/// neighbours along each axis. A distance is negative for a flip and 0 for a repetition.
struct StridedWalk {
  var shape, strides: [Int]
  var start: Int

  /// The same walk with neighbouring axes merged if they form one run; it has at least one axis.
  var merged: StridedWalk {
    var (extents, distances): ([Int], [Int]) = ([], [])
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      if let inner = extents.last, let distance = distances.last, stride == distance * inner {
        extents[extents.count - 1] = extent * inner
      } else {
        extents.append(extent)
        distances.append(stride)
      }
    }
    if extents.isEmpty { (extents, distances) = ([1], [1]) }
    return StridedWalk(shape: extents.reversed(), strides: distances.reversed(), start: start)
  }

  /// The offset of the first element of a row, where a row covers the last `inner` axes and `row`
  /// counts over all other axes.
  @inline(__always)
  func offset(ofRow row: Int, inner: Int = 1) -> Int {
    var (offset, rest) = (start, row)
    for axis in (0..<shape.count - inner).reversed() {
      offset += rest % shape[axis] * strides[axis]
      rest /= shape[axis]
    }
    return offset
  }
}

extension Tensor {
  /// The distance between neighbours along each axis.
  var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// A tensor of `shape`. Its element at indices i is this tensor's element at start + sum(i *
  /// strides).
  func gathered(shape: [Int], strides: [Int], start: Int = 0) -> Tensor {
    let walk = StridedWalk(shape: shape, strides: strides, start: start).merged
    return Tensor(shape: shape) { y in
      withUnsafeBuffer { x in
        guard !y.isEmpty, let x = x.baseAddress, let y = y.baseAddress else { return }
        let rank = walk.shape.count
        let isTransposition =
          rank > 1 && walk.strides[rank - 2] == 1 && walk.strides[rank - 1] > 1
        if isTransposition {
          Self.transpose(walk, x, y)
        } else {
          Self.gatherRows(walk, x, y)
        }
      }
    }
  }

  private static func gatherRows(
    _ walk: StridedWalk, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    nonisolated(unsafe) let (x, y) = (x, y)
    let (width, step) = (walk.shape[walk.shape.count - 1], walk.strides[walk.strides.count - 1])
    let rows = walk.shape.dropLast().reduce(1, *)
    Parallel.forEachBlock(rows, of: Swift.max(1, (1 << 14) / width)) { block in
      for row in block {
        let (source, target) = (x + walk.offset(ofRow: row), y + row * width)
        switch step {
        case 1: target.update(from: source, count: width)
        case 0: target.update(repeating: source[0], count: width)
        default: for i in 0..<width { target[i] = source[i * step] }
        }
      }
    }
  }

  /// Gathers if the last axis but one is contiguous in memory. It works in squares, so that each
  /// cache line is used completely while it is in the cache.
  private static func transpose(
    _ walk: StridedWalk, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
  ) {
    nonisolated(unsafe) let (x, y) = (x, y)
    let (side, rank) = (32, walk.shape.count)
    let (height, width) = (walk.shape[rank - 2], walk.shape[rank - 1])
    let step = walk.strides[rank - 1]
    let strips = height.dividedRoundingUp(by: side)
    let matrices = walk.shape.dropLast(2).reduce(1, *)
    Parallel.forEach(matrices * strips) { unit in
      let (matrix, first) = (unit / strips, unit % strips * side)
      let source = x + walk.offset(ofRow: matrix, inner: 2)
      let target = y + matrix * height * width
      let rows = first..<Swift.min(first + side, height)
      for left in stride(from: 0, to: width, by: side) {
        let right = Swift.min(left + side, width)
        for row in rows {
          for column in left..<right {
            target[row * width + column] = source[row + column * step]
          }
        }
      }
    }
  }

  /// `background` with this tensor's elements written from index `origin` on, at every `steps`-th
  /// index along each axis.
  func scattered(into background: consuming Tensor, origin: [Int], steps: [Int]) -> Tensor {
    var result = consume background
    let strides = result.strides
    let walk = StridedWalk(
      shape: shape, strides: zip(strides, steps).map { $0 * $1 },
      start: zip(strides, origin).reduce(0) { $0 + $1.0 * $1.1 }
    ).merged
    let (width, step) = (walk.shape[walk.shape.count - 1], walk.strides[walk.strides.count - 1])
    result.withUnsafeMutableBuffer { y in
      withUnsafeBuffer { x in
        guard !x.isEmpty, let x = x.baseAddress, let y = y.baseAddress else { return }
        for row in 0..<count / width {
          let (source, target) = (x + row * width, y + walk.offset(ofRow: row))
          if step == 1 {
            target.update(from: source, count: width)
          } else {
            for i in 0..<width { target[i * step] = source[i] }
          }
        }
      }
    }
    return result
  }
}
