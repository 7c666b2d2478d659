/// The element types in weights files. In memory all elements become Float32.
///
/// The raw values are the names in safetensors headers.
public enum ElementType: String, Sendable, CaseIterable {
  /// IEEE double precision.
  case f64 = "F64"
  /// IEEE single precision.
  case f32 = "F32"
  /// IEEE half precision.
  case f16 = "F16"
  /// The upper half of an IEEE single.
  case bf16 = "BF16"
  /// Signed 64-bit integers.
  case i64 = "I64"
  /// Signed 32-bit integers.
  case i32 = "I32"
  /// Signed 16-bit integers.
  case i16 = "I16"
  /// Signed bytes.
  case i8 = "I8"
  /// Unsigned 64-bit integers.
  case u64 = "U64"
  /// Unsigned 32-bit integers.
  case u32 = "U32"
  /// Unsigned 16-bit integers.
  case u16 = "U16"
  /// Unsigned bytes.
  case u8 = "U8"
  /// One byte for each element, zero for false.
  case bool = "BOOL"

  /// The size of an element in bytes.
  public var size: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// Whether the elements are floating-point numbers rather than integers or truth values.
  public var isFloatingPoint: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    case .i64, .i32, .i16, .i8, .u64, .u32, .u16, .u8, .bool: false
    }
  }
}
