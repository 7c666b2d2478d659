/// A dense array of Float32 in row-major order. Images are NHWC: batch, height, width, channels.
///
/// A tensor is a value: copies share memory until one is written to. There is one element type and
/// one layout, so a shape says all there is to say about the memory.
///
/// ```swift
/// let x = Tensor([1, 2, 3, 4], shape: [2, 2])
/// let product = x.matmul(x) + 1
/// print(product.scalars)  // [8.0, 11.0, 16.0, 23.0]
/// let (value, gradients) = valueAndGrad(at: [x]) { ($0[0] * $0[0]).sum() }
/// print(value, gradients[0].scalars)  // 30.0 [2.0, 4.0, 6.0, 8.0]
/// ```
public struct Tensor: Sendable {
  /// The extent of each axis, outermost first; empty for a scalar.
  public let shape: [Int]
  private var storage: TensorStorage
  /// Where this value stands in a recording, if in one.
  var node: GradientNode?

  /// The number of elements.
  public var count: Int { storage.count }
  /// The number of axes.
  public var rank: Int { shape.count }

  /// A tensor whose elements `body` writes. The memory it is given is not initialised: it must
  /// write every element.
  public init(
    shape: [Int], initializingWith body: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) rethrows {
    let count = Self.elementCount(of: shape)
    let storage = TensorStorage(count: count)
    try body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
    self.shape = shape
    self.storage = storage
  }

  /// A tensor of `values` in row-major order; their number must be the product of `shape`.
  public init(_ values: some Collection<Float>, shape: [Int]) {
    precondition(
      values.count == Self.elementCount(of: shape),
      "Tensor: \(values.count) values do not fill shape \(shape)")
    self.init(shape: shape) { buffer in _ = buffer.initialize(from: values) }
  }

  /// A tensor with the same value everywhere.
  public init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.initialize(repeating: value) }
  }

  /// A tensor of zeros.
  public init(zeros shape: [Int]) {
    self.init(repeating: 0, shape: shape)
  }

  /// A tensor without axes.
  public init(scalar value: Float) {
    self.init(repeating: value, shape: [])
  }

  /// A tensor over memory that `owner` keeps alive and nobody writes to: mapped weights.
  package init(borrowing floats: UnsafePointer<Float>, shape: [Int], owner: AnyObject) {
    self.shape = shape
    storage = TensorStorage(
      borrowing: floats, count: Self.elementCount(of: shape), owner: owner)
  }

  /// The elements and what keeps them alive, for views that outlive this value (weights on their
  /// way to a file). While anything holds the owner, writing to the tensor copies it first.
  package var sharedMemory: (floats: UnsafePointer<Float>, owner: AnyObject) {
    (UnsafePointer(storage.pointer), storage)
  }

  private init(shape: [Int], storage: TensorStorage) {
    self.shape = shape
    self.storage = storage
  }

  /// The same elements under another shape of the same count, outside of any recording.
  func viewed(as shape: [Int]) -> Tensor {
    precondition(
      Self.elementCount(of: shape) == count, "reshape: \(self.shape) does not fit \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  /// Whether this is the very same tensor: the same memory under the same shape.
  func isSame(as other: Tensor) -> Bool {
    storage === other.storage && shape == other.shape
  }

  /// Calls `body` with the elements, which stay valid until it returns.
  public func withUnsafeBuffer<R>(
    _ body: (UnsafeBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.pointer, count: storage.count))
    }
  }

  /// Calls `body` with the elements to change in place; copies them first if another tensor shares
  /// them.
  public mutating func withUnsafeMutableBuffer<R>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    if !isKnownUniquelyReferenced(&storage) || storage.isBorrowed {
      let copy = TensorStorage(count: storage.count)
      copy.pointer.update(from: storage.pointer, count: storage.count)
      storage = copy
    }
    node = nil
    return try withExtendedLifetime(storage) {
      try body(UnsafeMutableBufferPointer(start: storage.pointer, count: storage.count))
    }
  }

  /// Replaces every element: `body` gets the old elements and the place for the new ones, which are
  /// the same memory where no other tensor shares it.
  mutating func rewrite(
    _ body: (_ old: UnsafePointer<Float>, _ new: UnsafeMutablePointer<Float>) throws -> Void
  ) rethrows {
    let target =
      isKnownUniquelyReferenced(&storage) && !storage.isBorrowed
      ? storage : TensorStorage(count: storage.count)
    try withExtendedLifetime((storage, target)) { try body(storage.pointer, target.pointer) }
    storage = target
    node = nil
  }

  /// The elements as an array, in row-major order.
  public var scalars: [Float] { withUnsafeBuffer { Array($0) } }

  /// The only element of a tensor that has one.
  public var item: Float {
    precondition(count == 1, "item: shape \(shape) has \(count) elements")
    return withUnsafeBuffer { $0[0] }
  }

  /// The element at `indices`, one an axis.
  public subscript(_ indices: Int...) -> Float {
    precondition(
      indices.count == rank && zip(indices, shape).allSatisfy { $0 >= 0 && $0 < $1 },
      "subscript: \(indices) is outside shape \(shape)")
    let offset = zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
    return withUnsafeBuffer { $0[offset] }
  }

  /// The product of the extents; 1 for a scalar. Extents must not be negative nor overflow.
  public static func elementCount(of shape: [Int]) -> Int {
    shape.reduce(1) { product, extent in
      precondition(extent >= 0, "Tensor: negative extent in shape \(shape)")
      let (result, overflow) = product.multipliedReportingOverflow(by: extent)
      precondition(!overflow, "Tensor: shape \(shape) overflows")
      return result
    }
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first elements.
  public var description: String {
    let head = withUnsafeBuffer { $0.prefix(8).map { "\($0)" }.joined(separator: ", ") }
    return "Tensor\(shape)[\(head)\(count > 8 ? ", ..." : "")]"
  }
}
