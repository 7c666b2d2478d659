extension Gradients {
  /// The Euclidean norm of all gradients, taken as one long vector.
  public var norm: Float {
    let squares = parameters.reduce(0.0) { $0 + (self[$1]?.sumOfSquares ?? 0) }
    return Float(squares.squareRoot())
  }

  /// Scales all gradients so that their common norm is at most `limit`, as PyTorch's
  /// `clip_grad_norm_` does.
  ///
  /// - Returns: The norm before the scaling. If it is not finite, the gradients must not be used.
  @discardableResult
  public mutating func clip(toNorm limit: Float) -> Float {
    precondition(limit > 0, "clip: limit \(limit) must be positive")
    let norm = norm
    let scale = limit / (norm + 1e-6)
    if scale < 1 { self.scale(by: scale) }
    return norm
  }

  /// Multiplies all gradients by `factor`, for example by 1 / n after adding those of n batches.
  public mutating func scale(by factor: Float) {
    let lanes = Lanes(repeating: factor)
    updateEach { gradient in
      let count = gradient.count
      gradient.withUnsafeMutableBuffer { buffer in
        guard let base = buffer.baseAddress else { return }
        nonisolated(unsafe) let elements = base
        Parallel.forEachBlock(count) { range in
          let block = elements + range.lowerBound
          mapLanes(block, block, range.count) { $0 * lanes }
        }
      }
    }
  }
}

extension Tensor {
  /// The sum of the squares. It does not depend on the number of threads.
  var sumOfSquares: Double {
    let block = 1 << 15
    return withUnsafeBuffer { buffer in
      guard let base = buffer.baseAddress, !buffer.isEmpty else { return 0 }
      nonisolated(unsafe) let elements = base
      let count = buffer.count
      return Parallel.map(count.dividedRoundingUp(by: block)) { index in
        let first = index * block
        return blockSumOfSquares(elements + first, Swift.min(block, count - first))
      }.reduce(0, +)
    }
  }
}

/// Adds blocks of 256 squares in Float32 and the blocks' sums in Float64: fast and accurate enough.
private func blockSumOfSquares(_ elements: UnsafePointer<Float>, _ count: Int) -> Double {
  let source = LaneSource(elements)
  var sum = 0.0
  var index = 0
  while index < count {
    let end = min(count, index &+ 256)
    var lanes = Lanes.zero
    while index &+ 8 <= end {
      let some = source.full(index)
      lanes += some * some
      index &+= 8
    }
    if index < end {
      let some = source.partial(index, end &- index)
      lanes += some * some
      index = end
    }
    for lane in 0..<8 { sum += Double(lanes[lane]) }
  }
  return sum
}
