/// A protocol buffers message that is being written. Large fields are kept as tensors and are
/// converted only when the message goes to its file.
struct ProtobufWriter {
  /// A piece of the message.
  private enum Piece {
    case bytes([UInt8])
    case elements(StoredTensor, ElementType)
  }

  private var pieces: [Piece] = []
  /// The bytes since the last tensor.
  private var open: [UInt8] = []
  /// The length of the message in bytes.
  private(set) var count = 0

  /// Adds an integer field. Negative numbers take ten bytes.
  mutating func integer(_ field: Int, _ value: Int64) {
    key(field, wireType: 0)
    varint(UInt64(bitPattern: value))
  }

  /// Adds a Float32 field.
  mutating func number(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    append((0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) })
  }

  /// Adds a text field.
  mutating func text(_ field: Int, _ value: String) { bytes(field, Array(value.utf8)) }

  /// Adds a field of bytes.
  mutating func bytes(_ field: Int, _ value: [UInt8]) {
    key(field, wireType: 2)
    varint(UInt64(value.count))
    append(value)
  }

  /// Adds a field with the elements of a tensor as `dtype`, in file order.
  mutating func elements(_ field: Int, _ tensor: StoredTensor, as dtype: ElementType) {
    key(field, wireType: 2)
    let length = tensor.count * dtype.size
    varint(UInt64(length))
    close()
    pieces.append(.elements(tensor, dtype))
    count += length
  }

  /// Adds a message as a field.
  mutating func message(_ field: Int, _ message: ProtobufWriter) {
    key(field, wireType: 2)
    varint(UInt64(message.count))
    close()
    pieces += message.pieces
    open = message.open
    count += message.count
  }

  /// Adds a message that `fill` writes as a field.
  mutating func message(_ field: Int, _ fill: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    fill(&inner)
    message(field, inner)
  }

  private mutating func key(_ field: Int, wireType: Int) {
    varint(UInt64(field << 3 | wireType))
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append([UInt8(truncatingIfNeeded: rest) | 0x80])
      rest >>= 7
    }
    append([UInt8(rest)])
  }

  private mutating func append(_ bytes: [UInt8]) {
    open += bytes
    count += bytes.count
  }

  private mutating func close() {
    guard !open.isEmpty else { return }
    pieces.append(.bytes(open))
    open = []
  }

  /// Writes the message to a file.
  ///
  /// - Throws: `WeightsError.unwritable` if writing fails, or if a value is too large for F16.
  func write(to file: OutputFile<WeightsError>, name: String) throws(WeightsError) {
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): try file.write(bytes)
      case .elements(let tensor, let dtype):
        try file.write(tensor.bytes(as: dtype, writing: name))
      }
    }
    try file.write(open)
  }
}
