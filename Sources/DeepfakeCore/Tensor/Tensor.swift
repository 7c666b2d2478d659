/// A dense array of Float32 in row-major order. Images are NHWC: batch, height, width, channels.
///
/// A tensor is a value: copies share memory until one of them is changed. All tensors have one
/// element type and one memory layout, so the shape describes the memory completely.
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
  /// The node of this value in a recording, or nil.
  var node: GradientNode?

  /// The number of elements.
  public var count: Int { storage.count }
  /// The number of axes.
  public var rank: Int { shape.count }

  /// Creates a tensor whose elements `body` writes. Its memory is not initialised, so `body` must
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

  /// Creates a tensor from `values` in row-major order. Their number must be the product of
  /// `shape`.
  public init(_ values: some Collection<Float>, shape: [Int]) {
    precondition(
      values.count == Self.elementCount(of: shape),
      "Tensor: \(values.count) values do not fill shape \(shape)")
    self.init(shape: shape) { buffer in _ = buffer.initialize(from: values) }
  }

  /// Creates a tensor with the same value in every element.
  public init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { $0.initialize(repeating: value) }
  }

  /// Creates a tensor of zeros.
  public init(zeros shape: [Int]) {
    self.init(repeating: 0, shape: shape)
  }

  /// Creates a scalar: a tensor without axes.
  public init(scalar value: Float) {
    self.init(repeating: value, shape: [])
  }

  /// Creates a tensor over memory that `owner` keeps alive and that never changes, such as mapped
  /// weights.
  package init(borrowing floats: UnsafePointer<Float>, shape: [Int], owner: AnyObject) {
    self.shape = shape
    storage = TensorStorage(
      borrowing: floats, count: Self.elementCount(of: shape), owner: owner)
  }

  /// The elements and the object that keeps them alive, for uses that outlive this value, such as
  /// weights that are being written to a file. While anything refers to the owner, changing the
  /// tensor copies it first.
  package var sharedMemory: (floats: UnsafePointer<Float>, owner: AnyObject) {
    (UnsafePointer(storage.pointer), storage)
  }

  private init(shape: [Int], storage: TensorStorage) {
    self.shape = shape
    self.storage = storage
  }

  /// The same elements with another shape of the same count, without a link to any recording.
  func viewed(as shape: [Int]) -> Tensor {
    precondition(
      Self.elementCount(of: shape) == count, "reshape: \(self.shape) does not fit \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  /// Whether the other tensor has the same memory and the same shape.
  func isSame(as other: Tensor) -> Bool {
    storage === other.storage && shape == other.shape
  }

  /// Calls `body` with the elements. The pointer is valid only until `body` returns.
  public func withUnsafeBuffer<R>(
    _ body: (UnsafeBufferPointer<Float>) throws -> R
  ) rethrows -> R {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.pointer, count: storage.count))
    }
  }

  /// Calls `body` with the elements, to change them in place. If another tensor shares them, they
  /// are copied first.
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

  /// Replaces every element. `body` gets the old elements and the memory for the new ones, which is
  /// the same memory if no other tensor shares it.
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

  /// The element of a tensor that has exactly one.
  public var item: Float {
    precondition(count == 1, "item: shape \(shape) has \(count) elements")
    return withUnsafeBuffer { $0[0] }
  }

  /// The element at `indices`, one index for each axis.
  public subscript(_ indices: Int...) -> Float {
    precondition(
      indices.count == rank && zip(indices, shape).allSatisfy { $0 >= 0 && $0 < $1 },
      "subscript: \(indices) is outside shape \(shape)")
    let offset = zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
    return withUnsafeBuffer { $0[offset] }
  }

  /// The product of the extents; 1 for a scalar. A negative extent or an overflow is a programmer
  /// error.
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
