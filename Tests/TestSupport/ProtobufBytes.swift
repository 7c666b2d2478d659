/// Fields of protocol buffers messages, for files that tests make.
public enum ProtobufBytes {
  /// A field that holds a number.
  public static func varint(_ field: Int, _ value: UInt64) -> [UInt8] {
    number(UInt64(field) << 3) + number(value)
  }

  /// A field of four bytes.
  public static func fixed32(_ field: Int, _ bits: UInt32) -> [UInt8] {
    number(UInt64(field) << 3 | 5) + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
  }

  /// A field that holds bytes, or a message.
  public static func bytes(_ field: Int, _ bytes: some Collection<UInt8>) -> [UInt8] {
    number(UInt64(field) << 3 | 2) + number(UInt64(bytes.count)) + bytes
  }

  /// A field that holds a text.
  public static func text(_ field: Int, _ text: String) -> [UInt8] { bytes(field, text.utf8) }

  private static func number(_ value: UInt64) -> [UInt8] {
    var (rest, result) = (value, [UInt8]())
    while rest > 0x7F {
      result.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return result + [UInt8(rest)]
  }
}
