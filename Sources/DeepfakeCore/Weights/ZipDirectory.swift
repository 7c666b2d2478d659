import Foundation

/// The entries of a zip archive, read from its central directory. Zip64 is supported.
package struct ZipDirectory: Sendable {
  /// A file in the archive.
  package struct Entry: Sendable {
    /// The path in the archive.
    package var name: String
    /// The compression method: 0 is none, 8 is deflate.
    package var method: UInt16
    /// The CRC-32 of the uncompressed contents.
    package var checksum: UInt32
    /// The size of the uncompressed contents in bytes, as the archive states it.
    package var size: UInt64
    /// The offset of the entry's first byte in the archive.
    var offset: Int
    /// The number of the entry's bytes in the archive.
    var count: Int
  }

  /// The entries, in the order of the directory.
  package let entries: [Entry]
  private let file: MappedFile

  init(_ file: MappedFile) throws(WeightsError) {
    self.file = file
    entries = try Self.readEntries(file)
  }

  /// Maps an archive and reads its directory.
  package init(_ url: URL) throws(WeightsError) {
    try self.init(try MappedFile(url))
  }

  /// The name of the archive in errors.
  package var name: String { file.name }

  /// Calls `body` with an entry's bytes in the archive, which may be compressed. Nil if the entry
  /// lies outside the file.
  package func withBytes<R, E: Error>(
    of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R? {
    guard let bytes = file.slice(at: entry.offset, count: entry.count) else { return nil }
    return try body(UnsafeRawBufferPointer(start: bytes.start, count: bytes.count))
  }

  /// An entry's bytes in the archive, which may be compressed.
  func bytes(of entry: Entry) throws(WeightsError) -> StoredBytes {
    guard let bytes = file.slice(at: entry.offset, count: entry.count) else {
      throw Self.damaged(file, "\(entry.name) is outside the file")
    }
    return bytes
  }

  private struct Location {
    var entryCount: UInt64
    var size: UInt64
    var offset: UInt64
  }

  private static func damaged(_ file: MappedFile, _ reason: String) -> WeightsError {
    .unreadable(file: file.name, reason: "damaged zip archive: \(reason)")
  }

  private static func readEntries(_ file: MappedFile) throws(WeightsError) -> [Entry] {
    let location = try directory(file)
    // An entry of the directory takes at least 46 bytes, which limits the cost of a wrong count.
    guard location.offset <= UInt64(file.bytes.count),
      location.size <= UInt64(file.bytes.count) - location.offset,
      location.entryCount <= location.size / 46
    else { throw damaged(file, "the directory is outside the file") }
    var cursor = ByteCursor(file.bytes, at: Int(location.offset))
    var entries: [Entry] = []
    entries.reserveCapacity(Int(location.entryCount))
    for _ in 0..<location.entryCount {
      entries.append(try entry(file, &cursor))
    }
    return entries
  }

  /// Finds the central directory from the record at the file's end.
  private static func directory(_ file: MappedFile) throws(WeightsError) -> Location {
    let bytes = file.bytes
    let shortest = 22
    // A comment of up to 65535 bytes may follow the record.
    let first = max(0, bytes.count - shortest - 0xFFFF)
    var position = bytes.count - shortest
    while position >= first {
      var cursor = ByteCursor(bytes, at: position)
      if cursor.integer(UInt32.self) == 0x0605_4B50,
        bytes.count - position - shortest == Int(commentLength(bytes, record: position))
      {
        return try location(file, record: position)
      }
      position -= 1
    }
    throw damaged(file, "its end is missing; the file is truncated")
  }

  private static func commentLength(_ bytes: UnsafeRawBufferPointer, record: Int) -> UInt16 {
    var cursor = ByteCursor(bytes, at: record + 20)
    return cursor.integer() ?? 0
  }

  private static func location(
    _ file: MappedFile, record: Int
  ) throws(WeightsError) -> Location {
    var cursor = ByteCursor(file.bytes, at: record + 4)
    guard let disk: UInt16 = cursor.integer(), let startDisk: UInt16 = cursor.integer(),
      cursor.integer(UInt16.self) != nil, let count: UInt16 = cursor.integer(),
      let size: UInt32 = cursor.integer(), let offset: UInt32 = cursor.integer()
    else { throw damaged(file, "its end is missing") }
    let short = Location(
      entryCount: UInt64(count), size: UInt64(size), offset: UInt64(offset))
    // The zip64 record, if there is one, has the real numbers.
    var locator = ByteCursor(file.bytes, at: record - 20)
    if record >= 20, locator.integer(UInt32.self) == 0x0706_4B50 {
      guard locator.integer(UInt32.self) != nil, let end: UInt64 = locator.integer(),
        end <= UInt64(file.bytes.count)
      else { throw damaged(file, "the zip64 record is outside the file") }
      var zip64 = ByteCursor(file.bytes, at: Int(end))
      guard zip64.integer(UInt32.self) == 0x0606_4B50, zip64.take(28) != nil,
        let count: UInt64 = zip64.integer(), let size: UInt64 = zip64.integer(),
        let offset: UInt64 = zip64.integer()
      else { throw damaged(file, "the zip64 record is truncated") }
      return Location(entryCount: count, size: size, offset: offset)
    }
    guard disk == 0, startDisk == 0 else {
      throw damaged(file, "it is one part of a split archive")
    }
    return short
  }

  private static func entry(
    _ file: MappedFile, _ cursor: inout ByteCursor
  ) throws(WeightsError) -> Entry {
    guard cursor.integer(UInt32.self) == 0x0201_4B50, cursor.take(4) != nil,
      let flags: UInt16 = cursor.integer(), let method: UInt16 = cursor.integer(),
      cursor.take(4) != nil, let checksum: UInt32 = cursor.integer(),
      let compressed: UInt32 = cursor.integer(),
      let size: UInt32 = cursor.integer(), let nameLength: UInt16 = cursor.integer(),
      let extraLength: UInt16 = cursor.integer(), let commentLength: UInt16 = cursor.integer(),
      cursor.take(8) != nil, let header: UInt32 = cursor.integer(),
      let nameBytes = cursor.take(Int(nameLength)), let extra = cursor.take(Int(extraLength)),
      cursor.take(Int(commentLength)) != nil
    else { throw damaged(file, "the directory is truncated") }
    let name = String(decoding: nameBytes, as: UTF8.self)
    guard flags & 0x2041 == 0 else {
      throw .unreadable(file: file.name, reason: "\(name) in the archive is encrypted")
    }
    var sizes = Sizes(
      size: UInt64(size), compressed: UInt64(compressed), header: UInt64(header))
    sizes.applyZip64(extra)
    guard method != 0 || sizes.size == sizes.compressed,
      sizes.compressed <= UInt64(file.bytes.count),
      sizes.header <= UInt64(file.bytes.count)
    else { throw damaged(file, "\(name) is outside the file") }
    var local = ByteCursor(file.bytes, at: Int(sizes.header))
    guard local.integer(UInt32.self) == 0x0403_4B50, local.take(22) != nil,
      let localName: UInt16 = local.integer(), let localExtra: UInt16 = local.integer(),
      local.take(Int(localName) + Int(localExtra)) != nil,
      local.remaining >= Int(sizes.compressed)
    else { throw damaged(file, "\(name) is outside the file") }
    return Entry(
      name: name, method: method, checksum: checksum, size: sizes.size, offset: local.position,
      count: Int(sizes.compressed))
  }

  private struct Sizes {
    var size: UInt64
    var compressed: UInt64
    var header: UInt64

    /// Takes the numbers that are all ones in the entry from its extra field of kind 1.
    mutating func applyZip64(_ extra: UnsafeRawBufferPointer) {
      var fields = ByteCursor(extra)
      while let kind: UInt16 = fields.integer(), let length: UInt16 = fields.integer() {
        guard let field = fields.take(Int(length)) else { break }
        guard kind == 1 else { continue }
        var numbers = ByteCursor(field)
        if size == 0xFFFF_FFFF { size = numbers.integer() ?? .max }
        if compressed == 0xFFFF_FFFF { compressed = numbers.integer() ?? .max }
        if header == 0xFFFF_FFFF { header = numbers.integer() ?? .max }
      }
    }
  }
}
