import Foundation

/// Writes zip archives entry by entry, whatever the entries claim. Checksums are zero.
public struct ZipBytes {
  private var contents: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  /// An archive without entries.
  public init() {}

  /// Adds an entry; `bytes` are as they stand in the archive.
  public mutating func add(_ name: String, _ bytes: [UInt8], method: Int = 0) {
    let size = Self.number(bytes.count, 4)
    let common =
      Self.number(method, 2) + Self.number(0, 8) + size + size + Self.number(name.utf8.count, 2)
    directory += Self.number(0x0201_4B50, 4) + Self.number(20, 2) + Self.number(20, 2)
    directory += Self.number(0, 2) + common + Self.number(0, 12)
    directory += Self.number(contents.count, 4) + Array(name.utf8)
    contents += Self.number(0x0403_4B50, 4) + Self.number(20, 2) + Self.number(0, 2) + common
    contents += Self.number(0, 2) + Array(name.utf8) + bytes
    count += 1
  }

  /// The archive.
  public var data: Data {
    let end =
      Self.number(0x0605_4B50, 4) + Self.number(0, 4) + Self.number(count, 2)
      + Self.number(count, 2) + Self.number(directory.count, 4) + Self.number(contents.count, 4)
      + Self.number(0, 2)
    return Data(contents + directory + end)
  }

  private static func number(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}
