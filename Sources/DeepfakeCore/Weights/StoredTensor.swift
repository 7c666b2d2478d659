/// A tensor in a weights file. It is not converted yet; its bytes are in the mapped file.
///
/// Shape and strides were checked against the storage when the file was read, so a conversion never
/// reads outside the storage.
public struct StoredTensor: Sendable {
  /// The file's name, for messages.
  public let file: String
  /// The key in the file, even if the tensor was renamed since.
  public let key: String
  /// The element type in the file.
  public let dtype: ElementType
  /// The shape in the file: OIHW for convolutions, [out, in] for fully connected layers.
  public var shape: [Int] { view.shape }
  /// The number of elements.
  public var count: Int { view.count }

  private let bytes: StoredBytes
  private let view: StridedView

  /// The minimum number of elements to use directly from the mapped file. Smaller tensors are
  /// copied, because a single bias would otherwise keep the whole file in memory.
  private static let smallestBorrowed = 1 << 16

  /// Creates a view of `storage` from element `offset` on; nil `strides` means contiguous elements.
  /// Throws if the view reaches beyond the storage.
  init(
    file: String, key: String, dtype: ElementType, shape: [Int], strides: [Int]? = nil,
    offset: Int = 0, storage: StoredBytes
  ) throws(WeightsError) {
    let unit = [Int](repeating: 0, count: shape.count)
    guard StridedView.reach(shape: shape, strides: unit) != nil else {
      throw .unreadable(file: file, reason: "\(key): impossible shape \(shape)")
    }
    let strides = strides ?? StridedView.denseStrides(shape)
    let elements = storage.count / dtype.size
    guard let reach = StridedView.reach(shape: shape, strides: strides), offset >= 0,
      offset <= elements, reach <= elements - offset
    else {
      throw .unreadable(
        file: file,
        reason: "\(key): shape \(shape) with strides \(strides) and offset \(offset) does not fit"
          + " its storage of \(elements) elements; the file is damaged")
    }
    self.file = file
    self.key = key
    self.dtype = dtype
    view = StridedView(shape: shape, strides: strides)
    bytes = StoredBytes(
      start: storage.start + offset * dtype.size, count: storage.count - offset * dtype.size,
      owner: storage.owner)
  }

  /// Uses a tensor in memory without copying it. `layout` relates its axes to the axes in files.
  init(file: String, key: String, tensor: Tensor, layout: ParameterLayout) {
    self.file = file
    self.key = key
    dtype = .f32
    let (floats, owner) = tensor.sharedMemory
    bytes = StoredBytes(
      start: UnsafeRawPointer(floats), count: tensor.count * MemoryLayout<Float>.size,
      owner: owner)
    view = StridedView(dense: tensor.shape).permuted(layout.fileAxes(rank: tensor.rank))
  }

  private init(_ other: StoredTensor, key: String? = nil, view: StridedView? = nil) {
    file = other.file
    self.key = key ?? other.key
    dtype = other.dtype
    bytes = other.bytes
    self.view = view ?? other.view
  }

  /// The same tensor with another key.
  func named(_ key: String) -> StoredTensor {
    StoredTensor(self, key: key)
  }

  /// The same elements with axes of extent 1 appended up to `rank` axes, for a 1x1 convolution that
  /// a file stores as a matrix.
  public func withTrailingAxes(rank: Int) -> StoredTensor {
    let missing = max(0, rank - view.shape.count)
    return StoredTensor(
      self,
      view: StridedView(
        shape: view.shape + Array(repeating: 1, count: missing),
        strides: view.strides + Array(repeating: 1, count: missing)))
  }

  /// The same matrix with rows and columns exchanged.
  var transposed: StoredTensor { StoredTensor(self, view: view.permuted([1, 0])) }

  /// The elements as Float32 in memory layout: OIHW of a convolution becomes HWIO, and [out, in] of
  /// a fully connected layer becomes [in, out].
  ///
  /// Large F32 tensors whose elements are already in that order refer to the mapped file and are
  /// not copied. Doubles, and integers beyond 2^24, are rounded.
  ///
  /// - Throws: `WeightsError.unreadable` if the number of axes does not fit `layout`.
  public func tensor(layout: ParameterLayout = .unchanged) throws(WeightsError) -> Tensor {
    guard layout.accepts(rank: view.shape.count) else {
      throw .unreadable(file: file, reason: "\(key): shape \(shape) does not fit a \(layout.noun)")
    }
    let ordered = view.permuted(layout.memoryAxes(rank: view.shape.count))
    if dtype == .f32, ordered.count >= Self.smallestBorrowed, ordered.isDense,
      Int(bitPattern: bytes.start) % MemoryLayout<Float>.alignment == 0
    {
      return Tensor(
        borrowing: bytes.start.assumingMemoryBound(to: Float.self), shape: ordered.shape,
        owner: bytes.owner)
    }
    return withExtendedLifetime(bytes.owner) {
      Tensor(shape: ordered.shape) { copy(ordered, to: $0) }
    }
  }

  /// Calls `body` with the elements in the file, in file order. Nil if they are not contiguous
  /// Float32 values.
  func withDenseFloats<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result? {
    guard dtype == .f32, view.isDense,
      Int(bitPattern: bytes.start) % MemoryLayout<Float>.alignment == 0
    else { return nil }
    return withExtendedLifetime(bytes.owner) {
      body(bytes.start.assumingMemoryBound(to: Float.self))
    }
  }

  /// Releases the memory pages of the mapped file that hold the elements; reading them loads the
  /// pages again.
  func releasePages() {
    (bytes.owner as? MappedFile)?.releasePages(from: bytes.start, count: count * dtype.size)
  }

  private func copy(_ view: StridedView, to buffer: UnsafeMutableBufferPointer<Float>) {
    guard let target = buffer.baseAddress else { return }
    let source = bytes.start
    switch dtype {
    case .f64: StridedCopy<DoubleToFloat>.copy(view, from: source, to: target)
    case .f32: StridedCopy<Unconverted<Float>>.copy(view, from: source, to: target)
    case .f16: StridedCopy<HalfToFloat>.copy(view, from: source, to: target)
    case .bf16: StridedCopy<BfloatToFloat>.copy(view, from: source, to: target)
    case .i64: StridedCopy<IntegerToFloat<Int64>>.copy(view, from: source, to: target)
    case .i32: StridedCopy<IntegerToFloat<Int32>>.copy(view, from: source, to: target)
    case .i16: StridedCopy<IntegerToFloat<Int16>>.copy(view, from: source, to: target)
    case .i8: StridedCopy<IntegerToFloat<Int8>>.copy(view, from: source, to: target)
    case .u64: StridedCopy<IntegerToFloat<UInt64>>.copy(view, from: source, to: target)
    case .u32: StridedCopy<IntegerToFloat<UInt32>>.copy(view, from: source, to: target)
    case .u16: StridedCopy<IntegerToFloat<UInt16>>.copy(view, from: source, to: target)
    case .u8: StridedCopy<IntegerToFloat<UInt8>>.copy(view, from: source, to: target)
    case .bool: StridedCopy<BoolToFloat>.copy(view, from: source, to: target)
    }
  }

  /// The bytes of the elements in the file's type, contiguous and in file order.
  func rawBytes() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count * dtype.size) { buffer, written in
      written = count * dtype.size
      guard written > 0, let target = buffer.baseAddress else { return }
      let source = bytes.start
      withExtendedLifetime(bytes.owner) {
        switch dtype.size {
        case 8: StridedCopy<Unconverted<UInt64>>.copy(view, from: source, toBytes: target)
        case 4: StridedCopy<Unconverted<UInt32>>.copy(view, from: source, toBytes: target)
        case 2: StridedCopy<Unconverted<UInt16>>.copy(view, from: source, toBytes: target)
        default: StridedCopy<Unconverted<UInt8>>.copy(view, from: source, toBytes: target)
        }
      }
    }
  }
}

extension ParameterLayout {
  /// For each axis in memory, the corresponding axis in files.
  func memoryAxes(rank: Int) -> [Int] {
    switch self {
    case .unchanged: Array(0..<rank)
    case .convolution: [2, 3, 1, 0]
    case .linear: [1, 0]
    }
  }

  /// For each axis in files, the corresponding axis in memory.
  func fileAxes(rank: Int) -> [Int] {
    switch self {
    case .unchanged: Array(0..<rank)
    case .convolution: [3, 2, 0, 1]
    case .linear: [1, 0]
    }
  }

  func accepts(rank: Int) -> Bool {
    switch self {
    case .unchanged: true
    case .convolution: rank == 4
    case .linear: rank == 2
    }
  }

  var noun: String {
    switch self {
    case .unchanged: "tensor"
    case .convolution: "convolution (four axes)"
    case .linear: "fully connected layer (two axes)"
    }
  }
}
