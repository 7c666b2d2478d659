/// A reader of the fields of one protocol buffers message, in file order.
///
/// A nested message is a field of bytes, for which the caller creates another reader, so nothing
/// here recurses. A length that reaches beyond the message is refused.
struct ProtobufReader {
  /// The number of a field, and its value as stored in the file.
  struct Field {
    var number: Int
    var value: Value
  }

  /// The wire types. Groups, which protocol buffers no longer use, are refused.
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(UnsafeRawBufferPointer)
  }

  private let file: String
  private var cursor: ByteCursor

  /// Creates a reader of a whole message; `file` is the name in errors.
  init(_ bytes: UnsafeRawBufferPointer, file: String) {
    self.file = file
    cursor = ByteCursor(bytes)
  }

  /// The next field; nil at the end of the message. Throws if the message is truncated or damaged.
  mutating func next() throws(WeightsError) -> Field? {
    guard cursor.remaining > 0 else { return nil }
    let tag = try cursor.varint(file: file)
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else {
      throw .damagedMessage(file, "a field has the invalid number \(tag >> 3)")
    }
    let value: Value
    switch tag & 7 {
    case 0: value = .varint(try cursor.varint(file: file))
    case 1:
      guard let bits: UInt64 = cursor.integer() else { throw .messageTooShort(file) }
      value = .fixed64(bits)
    case 2:
      let length = try cursor.varint(file: file)
      guard length <= UInt64(cursor.remaining), let bytes = cursor.take(Int(length)) else {
        throw .messageTooShort(file)
      }
      value = .bytes(bytes)
    case 5:
      guard let bits: UInt32 = cursor.integer() else { throw .messageTooShort(file) }
      value = .fixed32(bits)
    default: throw .damagedMessage(file, "a field has the unknown wire type \(tag & 7)")
    }
    return Field(number: Int(tag >> 3), value: value)
  }
}

extension ProtobufReader.Field {
  /// The bytes of a nested message, a text or a packed list. Throws for other wire types.
  func bytes(_ file: String) throws(WeightsError) -> UnsafeRawBufferPointer {
    guard case .bytes(let bytes) = value else { throw wrongType(file) }
    return bytes
  }

  /// The text of the field. Throws if it is not UTF-8.
  func text(_ file: String) throws(WeightsError) -> String {
    guard let text = String(validating: try bytes(file), as: UTF8.self) else {
      throw .damagedMessage(file, "field \(number) is not UTF-8 text")
    }
    return text
  }

  /// The integer of the field. Throws for other wire types.
  func integer(_ file: String) throws(WeightsError) -> Int64 {
    guard case .varint(let bits) = value else { throw wrongType(file) }
    return Int64(bitPattern: bits)
  }

  /// Appends the integers of a repeated field, which are packed in one field or stored one per
  /// field. Throws if the list would have more than `limit` integers.
  func append(
    to list: inout [Int64], limit: Int, _ file: String
  ) throws(WeightsError) {
    switch value {
    case .varint(let bits): list.append(Int64(bitPattern: bits))
    case .bytes(let bytes):
      var cursor = ByteCursor(bytes)
      while cursor.remaining > 0, list.count <= limit {
        list.append(Int64(bitPattern: try cursor.varint(file: file)))
      }
    case .fixed32, .fixed64: throw wrongType(file)
    }
    try check(list.count, limit: limit, file)
  }

  /// Appends the floats of a repeated field, which are packed in one field or stored one per field.
  /// Throws if the list would have more than `limit` floats.
  func append(
    to list: inout [Float], limit: Int, _ file: String
  ) throws(WeightsError) {
    switch value {
    case .fixed32(let bits): list.append(Float(bitPattern: bits))
    case .bytes(let bytes):
      var cursor = ByteCursor(bytes)
      while cursor.remaining > 0, list.count <= limit {
        guard let bits: UInt32 = cursor.integer() else { throw .messageTooShort(file) }
        list.append(Float(bitPattern: bits))
      }
    case .varint, .fixed64: throw wrongType(file)
    }
    try check(list.count, limit: limit, file)
  }

  private func check(_ count: Int, limit: Int, _ file: String) throws(WeightsError) {
    guard count <= limit else {
      throw .damagedMessage(file, "field \(number) repeats more than \(limit) times")
    }
  }

  private func wrongType(_ file: String) -> WeightsError {
    .damagedMessage(file, "field \(number) has a wrong type")
  }
}

extension ByteCursor {
  /// The next variable-length integer, which has at most ten bytes.
  mutating func varint(file: String) throws(WeightsError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte: UInt8 = integer() else { throw .messageTooShort(file) }
      // Only one bit of the tenth byte fits into the result.
      guard shift < 63 || byte <= 1 else { break }
      result |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return result }
    }
    throw .damagedMessage(file, "a number has more than 64 bits")
  }
}

extension WeightsError {
  static func damagedMessage(_ file: String, _ reason: String) -> WeightsError {
    .unreadable(file: file, reason: "the ONNX file is damaged: \(reason)")
  }

  static func messageTooShort(_ file: String) -> WeightsError {
    .damagedMessage(
      file, "a field is longer than the message that contains it; the file may be truncated")
  }
}
