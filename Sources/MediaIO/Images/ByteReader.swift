/// Reads numbers, names and boxes from bytes, from front to back; nil where the bytes end too
/// early.
///
/// Must not outlive the bytes.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private let isBigEndian: Bool
  private var place = 0

  init(_ bytes: UnsafeRawBufferPointer, isBigEndian: Bool = true) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
  }

  /// Bytes that are left.
  var left: Int { bytes.count - place }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= left else { return nil }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  /// Whether `count` bytes could be passed over.
  mutating func skip(_ count: Int) -> Bool { bytes(count) != nil }

  /// A number without sign of `count` bytes, 0 to 8; nil too where it is beyond `Int`.
  mutating func number(_ count: Int) -> Int? {
    guard let bytes = bytes(count) else { return nil }
    let value = (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    return Int(exactly: value)
  }

  /// Four letters.
  mutating func name() -> String? { bytes(4).map { String(decoding: $0, as: UTF8.self) } }

  /// A box of ISO/IEC 14496-12.
  struct Box {
    let kind: String
    /// Its content as far as it is there.
    let content: UnsafeRawBufferPointer
    let isWhole: Bool

    /// What a box with a version and flags begins with, and a reader of what follows.
    func header() -> (version: Int, flags: Int, rest: ByteReader)? {
      var reader = ByteReader(content)
      guard let version = reader.number(1), let flags = reader.number(3) else { return nil }
      return (version, flags, reader)
    }
  }

  /// The next box; one that ends beyond the bytes is given as far as it is there.
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
