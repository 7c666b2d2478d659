/// Why an operation of a graph cannot run. The network adds the file and the node.
struct ONNXMismatch: Error {
  let reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}

/// The largest sizes that a graph may ask for.
enum ONNXLimit {
  /// Elements of a tensor.
  static let elements = 1 << 31
  /// Elements of a tensor that an operation makes from much smaller inputs, such as `Expand`.
  static let expanded = 1 << 28
  /// Elements of a tensor of integers.
  static let integers = 1 << 22
  /// The height or width of a resized image.
  static let side = 1 << 16
  /// Axes of a tensor.
  static let rank = 16
  /// A kernel's extent, a stride, a dilation or a padding.
  static let window = 1 << 12
}

/// A value in a running graph.
enum ONNXValue: Sendable {
  case floats(ONNXFloats)
  /// Integers and truth values, which mostly are shapes and indices.
  case integers(ONNXIntegers)

  /// The extents in the file's order of axes.
  var shape: [Int] {
    switch self {
    case .floats(let floats): floats.shape
    case .integers(let integers): integers.shape
    }
  }

  var rank: Int { shape.count }

  /// The same elements in the file's order with another shape, which must have as many.
  func reshaped(_ shape: [Int]) -> ONNXValue {
    switch self {
    case .floats(let floats): .floats(ONNXFloats(floats.fileOrder.viewed(as: shape)))
    case .integers(let integers): .integers(ONNXIntegers(integers.values, shape: shape))
    }
  }

  /// The distance in memory between neighbours along each axis of `shape`.
  var strides: [Int] {
    switch self {
    case .floats(let floats): floats.strides
    case .integers(let integers): StridedView.denseStrides(integers.shape)
    }
  }

  /// The value whose element at indices i is this value's element in memory at start + sum(i *
  /// strides).
  func gathered(shape: [Int], strides: [Int], start: Int = 0) -> ONNXValue {
    switch self {
    case .floats(let floats):
      return .floats(floats.gathered(shape: shape, strides: strides, start: start))
    case .integers(let integers):
      let walk = StridedWalk(shape: shape, strides: strides, start: start)
      let count = shape.reduce(1, *)
      return .integers(
        ONNXIntegers(
          (0..<count).map { integers.values[walk.offset(ofRow: $0, inner: 0)] }, shape: shape))
    }
  }
}

/// Integers in row-major order.
struct ONNXIntegers: Sendable {
  let values: [Int]
  let shape: [Int]

  init(_ values: [Int], shape: [Int]) {
    self.values = values
    self.shape = shape
  }

  /// Creates a list: a tensor of one axis.
  init(_ values: [Int]) {
    self.init(values, shape: [values.count])
  }
}

/// A tensor in a running graph. Its `shape` has the file's order of axes, which is N, C, H, W for
/// images; in memory images may be in this library's order, N, H, W, C.
struct ONNXFloats: Sendable {
  /// The elements in the order of the memory.
  let stored: Tensor
  /// Whether `stored` has the axes N, H, W, C while the file means N, C, H, W.
  let isChannelsLast: Bool

  /// For each axis in memory of a channels-last tensor, the axis in the file.
  private static let channelsLastAxes = [0, 2, 3, 1]
  /// For each axis in the file, the axis in memory of a channels-last tensor.
  private static let fileAxes = [0, 3, 1, 2]

  /// A tensor in the file's order.
  init(_ tensor: Tensor) {
    stored = tensor
    isChannelsLast = false
  }

  /// Images [batch, height, width, channels] for which the file means N, C, H, W.
  init(channelsLast images: Tensor) {
    precondition(images.rank == 4, "ONNXFloats: \(images.shape) is not a batch of images")
    stored = images
    isChannelsLast = true
  }

  /// The extents in the file's order of axes.
  var shape: [Int] {
    isChannelsLast ? Self.fileAxes.map { stored.shape[$0] } : stored.shape
  }

  var rank: Int { stored.rank }
  var count: Int { stored.count }

  /// The distance in memory between neighbours along each axis of `shape`.
  var strides: [Int] {
    let strides = stored.strides
    return isChannelsLast ? Self.fileAxes.map { strides[$0] } : strides
  }

  /// The axis in memory of an axis in the file.
  func storedAxis(_ axis: Int) -> Int { isChannelsLast ? Self.fileAxes[axis] : axis }

  /// The tensor in the file's order.
  var fileOrder: Tensor {
    isChannelsLast ? stored.arranged(shape: shape, strides: strides) : stored
  }

  /// Images in this library's order, N, H, W, C. The tensor must have four axes.
  var channelsLast: Tensor {
    if isChannelsLast { return stored }
    precondition(rank == 4, "ONNXFloats: \(shape) is not a batch of images")
    let strides = stored.strides
    return stored.arranged(
      shape: Self.channelsLastAxes.map { stored.shape[$0] },
      strides: Self.channelsLastAxes.map { strides[$0] })
  }

  /// The result of a function of each element.
  func map(_ transform: (Tensor) -> Tensor) -> ONNXFloats {
    let result = transform(stored)
    return isChannelsLast ? ONNXFloats(channelsLast: result) : ONNXFloats(result)
  }

  /// The tensor whose element at indices i is the element in memory at start + sum(i * strides).
  /// Images stay in their order in memory.
  func gathered(shape: [Int], strides: [Int], start: Int) -> ONNXFloats {
    guard isChannelsLast, shape.count == 4 else {
      return ONNXFloats(stored.gathered(shape: shape, strides: strides, start: start))
    }
    return ONNXFloats(
      channelsLast: stored.gathered(
        shape: Self.channelsLastAxes.map { shape[$0] },
        strides: Self.channelsLastAxes.map { strides[$0] }, start: start))
  }

  /// The tensor with its axes in another order. If the memory already is in the new order, either
  /// the file's or this library's, nothing is copied.
  func transposed(_ permutation: [Int]) -> ONNXFloats {
    let (shape, strides) = (shape, strides)
    let newShape = permutation.map { shape[$0] }
    let newStrides = permutation.map { strides[$0] }
    if StridedView(shape: newShape, strides: newStrides).isDense {
      return ONNXFloats(stored.viewed(as: newShape))
    }
    if permutation.count == 4 {
      let memory = StridedView(shape: newShape, strides: newStrides)
        .permuted(Self.channelsLastAxes)
      if memory.isDense { return ONNXFloats(channelsLast: stored.viewed(as: memory.shape)) }
    }
    return ONNXFloats(stored.gathered(shape: newShape, strides: newStrides))
  }
}

extension Tensor {
  /// The elements as a tensor of `shape` whose axes have these distances in this tensor's memory.
  /// Nothing is copied if they already are in that order.
  fileprivate func arranged(shape: [Int], strides: [Int]) -> Tensor {
    StridedView(shape: shape, strides: strides).isDense
      ? viewed(as: shape) : gathered(shape: shape, strides: strides)
  }
}

extension [Int] {
  /// The number of elements of a tensor of this shape. Throws if an extent is negative, or if there
  /// are more axes or elements than a graph may ask for.
  func elementCount(limit: Int = ONNXLimit.elements) throws(ONNXMismatch) -> Int {
    guard count <= ONNXLimit.rank else { throw ONNXMismatch("its result has \(count) axes") }
    var product = 1
    for extent in self {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw ONNXMismatch("its result would have the shape \(self)")
      }
      product = next
    }
    guard product <= limit else {
      throw ONNXMismatch("its result of shape \(self) would have more than \(limit) elements")
    }
    return product
  }

  /// The shape of two broadcast tensors. Throws if the shapes do not broadcast.
  func broadcast(with other: [Int]) throws(ONNXMismatch) -> [Int] {
    let rank = Swift.max(count, other.count)
    let a = [Int](repeating: 1, count: rank - count) + self
    let b = [Int](repeating: 1, count: rank - other.count) + other
    var shape: [Int] = []
    for (a, b) in zip(a, b) {
      guard a == b || a == 1 || b == 1 else {
        throw ONNXMismatch("its shapes \(self) and \(other) do not broadcast")
      }
      shape.append(a == 1 ? b : a)
    }
    _ = try shape.elementCount()
    return shape
  }

  /// The distances of this shape's axes for a walk over a shape to which it broadcasts; 0 along an
  /// axis that repeats.
  func broadcast(_ strides: [Int], to shape: [Int]) -> [Int] {
    let added = shape.count - count
    return shape.indices.map { axis in
      axis < added || self[axis - added] != shape[axis] ? 0 : strides[axis - added]
    }
  }
}
