/// Eight floats that simple loops process at once. The compiler does not reliably vectorise loops
/// over single elements; it does vectorise these.
typealias Lanes = SIMD8<Float>

extension Lanes {
  /// The lanes of `a` where the mask is true, and of `b` elsewhere.
  @inline(__always)
  static func select(_ mask: SIMDMask<SIMD8<Int32>>, _ a: Lanes, _ b: Lanes) -> Lanes {
    b.replacing(with: a, where: mask)
  }
}

/// A sequence of floats, or a single float that is repeated.
struct LaneSource {
  private let pointer: UnsafePointer<Float>
  private let repeats: Bool

  @inline(__always)
  init(_ pointer: UnsafePointer<Float>, repeating: Bool = false) {
    self.pointer = pointer
    repeats = repeating
  }

  @inline(__always)
  func full(_ index: Int) -> Lanes {
    if repeats { return Lanes(repeating: pointer[0]) }
    return UnsafeRawPointer(pointer + index).loadUnaligned(as: Lanes.self)
  }

  /// The first `count` lanes at `index`; the others are 0, unless a single float is repeated.
  @inline(__always)
  func partial(_ index: Int, _ count: Int) -> Lanes {
    if repeats { return Lanes(repeating: pointer[0]) }
    var lanes = Lanes.zero
    for lane in 0..<count { lanes[lane] = pointer[index + lane] }
    return lanes
  }
}

/// Writes `count` floats to `target`, eight at a time. `full` gets the index of the first of eight
/// floats. `partial` computes the last, incomplete group: it also gets the number of floats.
@inline(__always)
func fillLanes(
  _ target: UnsafeMutablePointer<Float>, _ count: Int,
  full: (Int) -> Lanes, partial: (Int, Int) -> Lanes
) {
  var index = 0
  while index &+ 8 <= count {
    UnsafeMutableRawPointer(target + index).storeBytes(of: full(index), as: Lanes.self)
    index &+= 8
  }
  guard index < count else { return }
  let rest = partial(index, count &- index)
  for lane in 0..<count &- index { target[index &+ lane] = rest[lane] }
}

/// y[i] = transform(x[i]); x and y may be the same.
@inline(__always)
func mapLanes(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
  _ transform: (Lanes) -> Lanes
) {
  let x = LaneSource(x)
  fillLanes(y, count) {
    transform(x.full($0))
  } partial: {
    transform(x.partial($0, $1))
  }
}

/// y[i] = combine(a[i], b[i]); y may be the memory of a or b.
@inline(__always)
func combineLanes(
  _ a: LaneSource, _ b: LaneSource, _ y: UnsafeMutablePointer<Float>, _ count: Int,
  _ combine: (Lanes, Lanes) -> Lanes
) {
  fillLanes(y, count) {
    combine(a.full($0), b.full($0))
  } partial: {
    combine(a.partial($0, $1), b.partial($0, $1))
  }
}
