/// A value in Python's pickle format, as far as dfkit supports it.
///
/// Containers are indices into a heap instead of nested values. However deeply a malicious file
/// nests them, nothing recurses, not even when they are freed, and cycles do no harm.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string(String)
  case bytes([UInt8])
  /// An index into `PickleHeap.sequences`, as for `list`; sets are lists here.
  case tuple(Int)
  case list(Int)
  /// An index into `PickleHeap.dictionaries`.
  case dictionary(Int)
  case function(PickleFunction)
  /// An index into `PickleHeap.storages`.
  case storage(Int)
  /// An index into `PickleHeap.tensors`.
  case tensor(Int)
  case numpyType(NumpyType)
  /// An index into `PickleHeap.objects`: the result of calling an unknown class or function.
  case object(Int)
  /// A value that is known to be harmless and has no use here, such as a device.
  case inert(String)

  /// A plain value as text for metadata; nil for all other values.
  var text: String? {
    switch self {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .string(let value): value
    default: nil
    }
  }

  /// A description of the value for messages.
  var noun: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .integer, .real: "a number"
    case .string: "text"
    case .bytes: "bytes"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .function(.foreign(let name)): "the class or function \(name)"
    case .function(let function): "the class or function \(function)"
    case .storage: "a tensor storage"
    case .tensor: "a tensor"
    case .numpyType: "a numpy type"
    case .object: "an object"
    case .inert(let name): name
    }
  }
}

/// A class or function that a checkpoint names. None is ever run. For a known one, a few lines of
/// `Unpickler.call` compute its result; calling any other creates an inert `PickleHeap.Object`.
enum PickleFunction: Equatable {
  case orderedDictionary
  case size
  case device
  /// A typed storage class; nil: the untyped one.
  case storage(ElementType?)
  /// An element type such as `torch.float32`; nil: a type that is not supported.
  case elementType(ElementType?)
  case rebuildTensor
  case rebuildTensorV2
  case rebuildTensorV3
  case rebuildParameter
  case numpyScalar
  case numpyType
  case encode
  /// Any other class or function, by its qualified name in printable characters.
  case foreign(String)

  private static let storages: [(name: String, type: ElementType)] = [
    ("DoubleStorage", .f64), ("FloatStorage", .f32), ("HalfStorage", .f16),
    ("BFloat16Storage", .bf16), ("LongStorage", .i64), ("IntStorage", .i32),
    ("ShortStorage", .i16), ("CharStorage", .i8), ("ByteStorage", .u8), ("BoolStorage", .bool),
  ]

  private static let types: [(name: String, type: ElementType?)] = [
    ("float64", .f64), ("double", .f64), ("float32", .f32), ("float", .f32), ("float16", .f16),
    ("half", .f16), ("bfloat16", .bf16), ("int64", .i64), ("long", .i64), ("int32", .i32),
    ("int", .i32), ("int16", .i16), ("short", .i16), ("int8", .i8), ("uint64", .u64),
    ("uint32", .u32), ("uint16", .u16), ("uint8", .u8), ("bool", .bool), ("complex64", nil),
    ("complex128", nil),
  ]

  private static let known: [String: PickleFunction] = {
    var known: [String: PickleFunction] = [
      "collections.OrderedDict": .orderedDictionary,
      "torch.Size": .size,
      "torch.device": .device,
      "torch.storage.UntypedStorage": .storage(nil),
      "torch.UntypedStorage": .storage(nil),
      "torch._utils._rebuild_tensor": .rebuildTensor,
      "torch._utils._rebuild_tensor_v2": .rebuildTensorV2,
      "torch._utils._rebuild_tensor_v3": .rebuildTensorV3,
      "torch._utils._rebuild_parameter": .rebuildParameter,
      "torch._utils._rebuild_parameter_with_state": .rebuildParameter,
      "numpy.core.multiarray.scalar": .numpyScalar,
      "numpy._core.multiarray.scalar": .numpyScalar,
      "numpy.dtype": .numpyType,
      "_codecs.encode": .encode,
    ]
    for (name, type) in storages {
      known["torch." + name] = .storage(type)
      known["torch.cuda." + name] = .storage(type)
    }
    for (name, type) in types { known["torch." + name] = .elementType(type) }
    return known
  }()

  /// The function with this qualified name.
  static func named(_ name: String) -> PickleFunction {
    if let function = known[name] { return function }
    let printable = name.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }
    return .foreign(String(String.UnicodeScalarView(printable.prefix(200))))
  }
}

/// A numpy element type: kind, size and byte order.
struct NumpyType {
  /// The kind: "f", "i", "u" or "b".
  var kind: Character
  var size: Int
  var isBigEndian = false

  /// Parses a name such as "f8" or "<i4"; nil for structured types, dates and text.
  init?(_ name: String) {
    var name = Substring(name)
    if let order = name.first, "<>|=".contains(order) {
      isBigEndian = order == ">"
      name = name.dropFirst()
    }
    guard let kind = name.first, "fiub".contains(kind), let size = Int(name.dropFirst()),
      [1, 2, 4, 8].contains(size)
    else { return nil }
    self.kind = kind
    self.size = size
  }

  /// The number in `bytes`; nil if their count does not fit. Unsigned numbers beyond Int become
  /// inert.
  func scalar(_ bytes: [UInt8]) -> PickleValue? {
    guard bytes.count == size else { return nil }
    let ordered = isBigEndian ? bytes : bytes.reversed()
    let bits = ordered.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch (kind, size) {
    case ("f", 8): return .real(Double(bitPattern: bits))
    case ("f", 4): return .real(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
    case ("f", 2):
      return .real(Double(HalfPrecision.float(half: UInt16(truncatingIfNeeded: bits))))
    case ("i", _):
      let shift = UInt64(64 - 8 * size)
      return .integer(Int(Int64(bitPattern: bits << shift) >> Int64(shift)))
    case ("u", _): return Int(exactly: bits).map { .integer($0) } ?? .inert("a large number")
    case ("b", 1): return .bool(bits != 0)
    default: return nil
    }
  }
}
