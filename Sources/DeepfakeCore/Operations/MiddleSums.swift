/// Sums over neighbouring axes, from [outer, extent, inner] to [outer, inner], in double precision.
///
/// The sums are computed in parts that depend only on the extents, so the results do not depend on
/// the number of threads.
struct MiddleSums {
  let outer, extent, inner: Int

  /// Plans the sums of a tensor of `shape` over the axes `removed`. Nil if there are no such axes,
  /// if they are not neighbours, or if there are no elements.
  init?(_ shape: [Int], removing removed: Set<Int>) {
    guard let first = removed.min(), let last = removed.max(), last - first + 1 == removed.count
    else { return nil }
    outer = shape[..<first].reduce(1, *)
    extent = shape[first...last].reduce(1, *)
    inner = shape[(last + 1)...].reduce(1, *)
    guard outer > 0 && extent > 0 && inner > 0 else { return nil }
  }

  /// The approximate number of elements that one task adds up.
  private static let elementsAtOnce = 1 << 15

  /// The sums, [outer, inner].
  func totals(_ x: UnsafeBufferPointer<Float>) -> [Double] {
    guard let all = x.baseAddress else { return [] }
    nonisolated(unsafe) let x = all
    // A task computes a part of the extent for one outer index, or several outer indices.
    let rows = max(1, Self.elementsAtOnce / inner)
    let parts = extent.dividedRoundingUp(by: rows)
    let outerAtOnce = parts > 1 ? 1 : max(1, rows / extent)
    let partial = [Double](unsafeUninitializedCapacity: outer * parts * inner) { sums, count in
      sums.initialize(repeating: 0)
      count = sums.count
      guard let start = sums.baseAddress else { return }
      nonisolated(unsafe) let sums = start
      Parallel.forEachBlock(outer * parts, of: outerAtOnce) { block in
        for unit in block {
          let (index, first) = (unit / parts, unit % parts * rows)
          addRows(
            x + (index * extent + first) * inner, min(rows, extent - first), sums + unit * inner)
        }
      }
    }
    guard parts > 1 else { return partial }
    var totals = [Double](repeating: 0, count: outer * inner)
    for index in 0..<outer {
      for part in 0..<parts {
        let start = (index * parts + part) * inner
        for i in 0..<inner { totals[index * inner + i] += partial[start + i] }
      }
    }
    return totals
  }

  /// sums[i] = the sum over `rows` rows of x[row * inner + i].
  @inline(__always)
  private func addRows(
    _ x: UnsafePointer<Float>, _ rows: Int, _ sums: UnsafeMutablePointer<Double>
  ) {
    if inner == 1 {
      sums[0] = Self.sum(x, rows)
      return
    }
    var column = 0
    while column + 16 <= inner {
      var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
      for row in 0..<rows {
        let source = UnsafeRawPointer(x + row * inner + column)
        low += SIMD8<Double>(source.loadUnaligned(as: Lanes.self))
        high += SIMD8<Double>(
          source.loadUnaligned(fromByteOffset: MemoryLayout<Lanes>.size, as: Lanes.self))
      }
      let target = UnsafeMutableRawPointer(sums + column)
      target.storeBytes(of: low, as: SIMD8<Double>.self)
      target.storeBytes(
        of: high, toByteOffset: MemoryLayout<SIMD8<Double>>.size, as: SIMD8<Double>.self)
      column += 16
    }
    guard column < inner else { return }
    for row in 0..<rows {
      for i in column..<inner { sums[i] += Double(x[row * inner + i]) }
    }
  }

  private static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var (low, high) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
    var index = 0
    while index + 16 <= count {
      let source = UnsafeRawPointer(x + index)
      low += SIMD8<Double>(source.loadUnaligned(as: Lanes.self))
      high += SIMD8<Double>(
        source.loadUnaligned(fromByteOffset: MemoryLayout<Lanes>.size, as: Lanes.self))
      index += 16
    }
    var total = (low + high).sum()
    while index < count {
      total += Double(x[index])
      index += 1
    }
    return total
  }
}
