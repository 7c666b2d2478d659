/// The fields of a tensor in an ONNX file, not checked yet.
///
/// The elements are stored as raw bytes (`raw_data`), or as a list of numbers in the field for the
/// closest type (`float_data`, `int32_data` and so on), or in another file (`external_data`).
struct ONNXTensor {
  private let file: MappedFile
  private var key = ""
  private var dimensions: [Int64] = []
  private var type: Int64 = 0
  private var raw: UnsafeRawBufferPointer?
  /// The lists of numbers, each a packed list or a single number, with the number of their field.
  private var lists: [(number: Int, value: ProtobufReader.Value)] = []
  private var isExternal = false
  /// Where in another file the elements are: names (`location`, `offset`, `length`) and values.
  private var places: [String: String] = [:]

  /// The maximum number of axes.
  private static let rankLimit = 64
  /// The maximum number of fields with single numbers; writers normally pack them.
  private static let listLimit = 1 << 16
  /// The maximum number of names of a place in another file.
  private static let placeLimit = 16

  init(_ bytes: UnsafeRawBufferPointer, in file: MappedFile) throws(WeightsError) {
    self.file = file
    var reader = ProtobufReader(bytes, file: file.name)
    while let field = try reader.next() {
      switch field.number {
      case 1: try field.append(to: &dimensions, limit: Self.rankLimit, file.name)
      case 2: type = try field.integer(file.name)
      case 4, 5, 7, 10, 11:
        guard lists.count < Self.listLimit else {
          throw damaged("stores its elements in too many separate fields")
        }
        lists.append((field.number, field.value))
      case 8: key = try field.text(file.name)
      case 9: raw = try field.bytes(file.name)
      case 13: try readPlace(field.bytes(file.name))
      case 14:
        let location = try field.integer(file.name)
        guard location == 0 || location == 1 else {
          throw damaged("is stored in an unknown way (\(location))")
        }
        isExternal = location == 1
      default: break
      }
    }
  }

  private mutating func readPlace(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) {
    var reader = ProtobufReader(bytes, file: file.name)
    var (name, value) = ("", "")
    while let field = try reader.next() {
      if field.number == 1 { name = try field.text(file.name) }
      if field.number == 2 { value = try field.text(file.name) }
    }
    guard places.count < Self.placeLimit else {
      throw damaged("has more than \(Self.placeLimit) entries of external data")
    }
    places[name] = value
  }

  /// Whether dfkit can read the elements: numbers of a supported type.
  var hasKnownType: Bool { Self.types[type] != nil }

  /// The tensor with its elements, which may be in a file of `external`. Throws if type, shape and
  /// elements do not fit together.
  func stored(_ external: ONNXExternalData) throws(WeightsError) -> StoredTensor {
    guard let dtype = Self.types[type] else {
      throw .refused(file: file.name, found: "\(key) with elements of ONNX's type \(type)")
    }
    var shape: [Int] = []
    var count = 1
    for extent in dimensions {
      guard let extent = Int(exactly: extent), extent >= 0 else {
        throw damaged("has an impossible shape: \(dimensions)")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product < Int.max / 8 else {
        throw damaged("has an impossible shape: \(dimensions)")
      }
      shape.append(extent)
      count = product
    }
    let storage: StoredBytes
    if isExternal {
      guard lists.isEmpty, raw == nil else { throw damaged("stores its elements twice") }
      storage =
        count == 0
        ? .none
        : try external.bytes(at: places, count: count * dtype.size, of: key)
    } else if let raw {
      guard lists.isEmpty else { throw damaged("stores its elements twice") }
      guard raw.count == count * dtype.size else {
        throw damaged(
          "needs \(count * dtype.size) bytes for its shape \(shape), but the file has \(raw.count)")
      }
      storage =
        raw.baseAddress.map { StoredBytes(start: $0, count: raw.count, owner: file) } ?? .none
    } else {
      storage = try listed(dtype, count: count)
    }
    return try StoredTensor(
      file: file.name, key: key, dtype: dtype, shape: shape, storage: storage)
  }

  /// ONNX's numbers of the supported element types. Strings, complex numbers, 8-bit floating-point
  /// types and types of less than 8 bits are refused.
  static let types: [Int64: ElementType] = [
    1: .f32, 2: .u8, 3: .i8, 4: .u16, 5: .i16, 6: .i32, 7: .i64, 9: .bool, 10: .f16, 11: .f64,
    12: .u32, 13: .u64, 16: .bf16,
  ]

  /// ONNX's number of an element type that it has.
  static func number(of dtype: ElementType) -> Int64 {
    types.first { $0.value == dtype }?.key ?? 0
  }

  /// The number of the field that lists elements of `dtype`.
  private static func listField(of dtype: ElementType) -> Int {
    switch dtype {
    case .f32: 4
    case .i64: 7
    case .f64: 10
    case .u32, .u64: 11
    case .i32, .i16, .i8, .u16, .u8, .bool, .f16, .bf16: 5
    }
  }

  /// The elements of the lists, copied into memory as `dtype`.
  private func listed(_ dtype: ElementType, count: Int) throws(WeightsError) -> StoredBytes {
    let field = Self.listField(of: dtype)
    guard lists.allSatisfy({ $0.number == field }) else {
      throw damaged("stores its elements with another type than \(dtype.rawValue)")
    }
    // Each element takes at least one byte in the file, so the allocation is limited by the file's
    // size.
    let listed = lists.reduce(0) { sum, list in
      if case .bytes(let bytes) = list.value { sum + bytes.count } else { sum + 1 }
    }
    guard count <= listed else {
      throw damaged("needs \(count) elements for its shape, but the file has fewer")
    }
    let target = OwnedBytes(count: count * dtype.size)
    var written = 0
    func put(_ bits: UInt64) throws(WeightsError) {
      guard written < count else {
        throw damaged("has more elements than its shape \(dimensions) needs")
      }
      target.store(bits, at: written * dtype.size, size: dtype.size)
      written += 1
    }
    for list in lists {
      switch list.value {
      case .varint(let bits): try put(bits)
      case .fixed32(let bits): try put(UInt64(bits))
      case .fixed64(let bits): try put(bits)
      case .bytes(let bytes):
        var cursor = ByteCursor(bytes)
        while cursor.remaining > 0 {
          switch field {
          case 4:
            guard let bits: UInt32 = cursor.integer() else { throw .messageTooShort(file.name) }
            try put(UInt64(bits))
          case 10:
            guard let bits: UInt64 = cursor.integer() else { throw .messageTooShort(file.name) }
            try put(bits)
          default: try put(try cursor.varint(file: file.name))
          }
        }
      }
    }
    guard written == count else {
      throw damaged("needs \(count) elements for its shape, but the file has \(written)")
    }
    return StoredBytes(start: target.start, count: count * dtype.size, owner: target)
  }

  private func damaged(_ reason: String) -> WeightsError {
    .damagedMessage(file.name, "tensor \(key.isEmpty ? "without a name" : key) \(reason)")
  }
}

/// Bytes that are written once, before anything else can read them; hence `@unchecked Sendable`.
private final class OwnedBytes: @unchecked Sendable {
  private let bytes: UnsafeMutableRawPointer

  init(count: Int) {
    bytes = .allocate(byteCount: max(8, count), alignment: 64)
  }

  deinit { bytes.deallocate() }

  var start: UnsafeRawPointer { UnsafeRawPointer(bytes) }

  /// Writes the lowest `size` bytes of `bits` in little-endian order.
  func store(_ bits: UInt64, at offset: Int, size: Int) {
    for byte in 0..<size {
      bytes.storeBytes(
        of: UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte)), toByteOffset: offset + byte,
        as: UInt8.self)
    }
  }
}

extension StoredBytes {
  /// The bytes of a tensor without elements.
  fileprivate static var none: StoredBytes {
    let owner = OwnedBytes(count: 0)
    return StoredBytes(start: owner.start, count: 0, owner: owner)
  }
}
