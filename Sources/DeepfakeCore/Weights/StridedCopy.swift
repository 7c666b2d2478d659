/// A view of elements in memory: the extents, and the step in elements along each axis.
struct StridedView: Sendable, Equatable {
  var shape: [Int]
  var strides: [Int]

  /// The maximum number of axes, as in PyTorch. A file with more is damaged.
  static let maximumRank = 64

  /// The view of a dense row-major array. The product of the extents must not overflow.
  init(dense shape: [Int]) {
    self.shape = shape
    strides = Self.denseStrides(shape)
  }

  init(shape: [Int], strides: [Int]) {
    precondition(shape.count == strides.count, "StridedView: one stride an axis")
    self.shape = shape
    self.strides = strides
  }

  static func denseStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * max(1, shape[axis + 1])
    }
    return strides
  }

  var count: Int { shape.reduce(1, *) }

  /// The view with its axes in another order.
  func permuted(_ axes: [Int]) -> StridedView {
    StridedView(shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] })
  }

  /// The same elements in the same order, with as few axes as possible.
  var merged: StridedView {
    var result = StridedView(shape: [], strides: [])
    for (extent, stride) in zip(shape, strides) where extent != 1 {
      if let last = result.shape.indices.last, result.strides[last] == stride * extent {
        result.shape[last] *= extent
        result.strides[last] = stride
      } else {
        result.shape.append(extent)
        result.strides.append(stride)
      }
    }
    return result
  }

  /// Whether the elements are contiguous.
  var isDense: Bool {
    guard count > 0 else { return true }
    let merged = merged
    return merged.shape.isEmpty || merged.strides == [1]
  }

  /// The number of storage elements that the view spans from its first one. Nil if there are too
  /// many axes, if an extent or stride is negative, or if a product is too large.
  static func reach(shape: [Int], strides: [Int]) -> Int? {
    guard shape.count == strides.count, shape.count <= maximumRank else { return nil }
    var last = 0
    var product = 1
    for (extent, stride) in zip(shape, strides) {
      guard extent >= 0, stride >= 0 else { return nil }
      // An extent of zero counts as one here, so that no order of the axes can overflow later.
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, extent))
      let (step, overflow2) = stride.multipliedReportingOverflow(by: max(0, extent - 1))
      let (sum, overflow3) = last.addingReportingOverflow(step)
      guard !overflow, !overflow2, !overflow3, next <= 1 << 48 else { return nil }
      product = next
      last = sum
    }
    guard !shape.contains(0) else { return 0 }
    let (reach, overflow) = last.addingReportingOverflow(1)
    return overflow ? nil : reach
  }
}

/// A conversion from a stored element to an element in memory.
protocol ElementConversion: Sendable {
  associatedtype Source: BitwiseCopyable & Sendable
  associatedtype Target: BitwiseCopyable & Sendable
  static func convert(_ value: Source) -> Target
}

enum Unconverted<T: BitwiseCopyable & Sendable>: ElementConversion {
  @inline(__always) static func convert(_ value: T) -> T { value }
}
enum HalfToFloat: ElementConversion {
  @inline(__always) static func convert(_ bits: UInt16) -> Float { HalfPrecision.float(half: bits) }
}
enum FloatToHalf: ElementConversion {
  @inline(__always) static func convert(_ value: Float) -> UInt16 { HalfPrecision.half(value) }
}
enum FloatToBfloat: ElementConversion {
  @inline(__always) static func convert(_ value: Float) -> UInt16 { HalfPrecision.bfloat(value) }
}
enum BfloatToFloat: ElementConversion {
  @inline(__always)
  static func convert(_ bits: UInt16) -> Float { HalfPrecision.float(bfloat: bits) }
}
enum DoubleToFloat: ElementConversion {
  @inline(__always) static func convert(_ value: Double) -> Float { Float(value) }
}
enum IntegerToFloat<T: FixedWidthInteger & BitwiseCopyable>: ElementConversion {
  @inline(__always) static func convert(_ value: T) -> Float { Float(value) }
}
enum BoolToFloat: ElementConversion {
  @inline(__always) static func convert(_ value: UInt8) -> Float { value == 0 ? 0 : 1 }
}

/// Copies the elements of a view to contiguous memory and converts them.
///
/// If the fastest axes of source and target differ (a transpose), it works in square tiles, so that
/// both sides stay in the cache. Large copies run on the thread pool.
struct StridedCopy<Conversion: ElementConversion>: @unchecked Sendable {
  private let source: UnsafeRawPointer
  private let target: UnsafeMutablePointer<Conversion.Target>
  /// The axes except the fast one and the last, outermost first, with their steps in the target.
  private var outer = StridedView(shape: [], strides: [])
  private var outerSteps: [Int] = []
  private var fast = (extent: 1, stride: 0, step: 0)
  private var last = (extent: 1, stride: 0)

  private static var tile: Int { 32 }
  private static var run: Int { 1 << 16 }

  static func copy(
    _ view: StridedView, from source: UnsafeRawPointer,
    to target: UnsafeMutablePointer<Conversion.Target>
  ) {
    guard view.count > 0 else { return }
    let copy = StridedCopy(view, source, target)
    let tasks = copy.taskCount
    if view.count < 1 << 16 || tasks == 1 {
      for task in 0..<tasks { copy.perform(task) }
    } else {
      Parallel.forEach(tasks) { copy.perform($0) }
    }
  }

  /// Copies into an array of bytes, whose memory must be aligned for the element type.
  static func copy(
    _ view: StridedView, from source: UnsafeRawPointer, toBytes target: UnsafeMutablePointer<UInt8>
  ) {
    let raw = UnsafeMutableRawPointer(target)
    copy(view, from: source, to: raw.bindMemory(to: Conversion.Target.self, capacity: view.count))
    raw.bindMemory(
      to: UInt8.self, capacity: view.count * MemoryLayout<Conversion.Target>.size)
  }

  private init(
    _ view: StridedView, _ source: UnsafeRawPointer,
    _ target: UnsafeMutablePointer<Conversion.Target>
  ) {
    self.source = source
    self.target = target
    let view = view.merged
    let steps = StridedView.denseStrides(view.shape)
    guard let lastAxis = view.shape.indices.last else { return }
    last = (view.shape[lastAxis], view.strides[lastAxis])
    let fastAxis = view.shape.indices.min { view.strides[$0] < view.strides[$1] } ?? lastAxis
    for axis in view.shape.indices where axis != lastAxis {
      if axis == fastAxis {
        fast = (view.shape[axis], view.strides[axis], steps[axis])
      } else {
        outer.shape.append(view.shape[axis])
        outer.strides.append(view.strides[axis])
        outerSteps.append(steps[axis])
      }
    }
  }

  private var isTransposing: Bool { fast.step != 0 }
  private var piecesPerOuter: Int {
    isTransposing
      ? fast.extent.dividedRoundingUp(by: Self.tile) : last.extent.dividedRoundingUp(by: Self.run)
  }
  private var taskCount: Int { outer.count * piecesPerOuter }

  private func perform(_ task: Int) {
    let pieces = piecesPerOuter
    let piece = task % pieces
    var rest = task / pieces
    var from = 0
    var to = 0
    for axis in outer.shape.indices.reversed() {
      let index = rest % outer.shape[axis]
      rest /= outer.shape[axis]
      from += index * outer.strides[axis]
      to += index * outerSteps[axis]
    }
    if isTransposing {
      let start = piece * Self.tile
      let end = min(fast.extent, start + Self.tile)
      for column in stride(from: 0, to: last.extent, by: Self.tile) {
        transpose(from, to, start..<end, column..<min(last.extent, column + Self.tile))
      }
    } else {
      let start = piece * Self.run
      copyRun(from + start * last.stride, to + start, min(Self.run, last.extent - start))
    }
  }

  @inline(__always)
  private func element(_ index: Int) -> Conversion.Target {
    Conversion.convert(
      source.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Conversion.Source>.size,
        as: Conversion.Source.self))
  }

  private func transpose(_ from: Int, _ to: Int, _ rows: Range<Int>, _ columns: Range<Int>) {
    for row in rows {
      let source = from + row * fast.stride
      let target = to + row * fast.step
      for column in columns {
        self.target[target + column] = element(source + column * last.stride)
      }
    }
  }

  private func copyRun(_ from: Int, _ to: Int, _ count: Int) {
    if last.stride == 1 {
      for i in 0..<count { target[to + i] = element(from + i) }
    } else {
      for i in 0..<count { target[to + i] = element(from + i * last.stride) }
    }
  }
}
