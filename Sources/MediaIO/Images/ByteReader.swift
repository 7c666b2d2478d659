/// A reader of numbers, names and boxes in order. All functions return nil if too few bytes remain.
///
/// It must not outlive the bytes.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private let isBigEndian: Bool
  private var place = 0

  init(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool = true) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  /// The number of remaining bytes.
  var left: Int { bytes.count - place }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= left else { return nil }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  /// Skips `count` bytes; false if fewer remain.
  mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

  /// The next unsigned number of `count` bytes, 0 to 8; nil also if it does not fit into Int.
  mutating func number(_ count: Int) -> Int? {
    guard let bytes = bytes(count) else { return nil }
    let value = (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    return Int(exactly: value)
  }

  /// The next name, which has four letters.
  mutating func name() -> String? { bytes(4).map { String(decoding: $0, as: UTF8.self) } }

  /// A box of ISO/IEC 14496-12.
  struct Box {
    let kind: String
    /// The content, possibly only its first part.
    let content: UnsafeRawBufferPointer
    let isWhole: Bool

    /// The version and the flags at the start of a full box, and a reader for the rest.
    func header() -> (version: Int, flags: Int, rest: ByteReader)? {
      var reader = ByteReader(content)
      guard let version = reader.number(1), let flags = reader.number(3) else { return nil }
      return (version, flags, reader)
    }
  }

  /// The next box. If it reaches beyond the bytes, its content is only the available part.
  mutating func box() -> Box? {
    guard let size = number(4), let kind = name() else { return nil }
    var length = size - 8
    if size == 1 {
      guard let large = number(8) else { return nil }
      length = large - 16
    } else if size == 0 {
      length = left
    }
    guard length >= 0 else { return nil }
    let isWhole = length <= left
    return bytes(min(length, left)).map { Box(kind: kind, content: $0, isWhole: isWhole) }
  }
}
