import Foundation

/// A range of bytes and the object that keeps it in memory. Nobody writes to it while the owner
/// lives, so threads can share it; hence `@unchecked Sendable`.
struct StoredBytes: @unchecked Sendable {
  let start: UnsafeRawPointer
  let count: Int
  let owner: AnyObject
}

/// The bytes of a file, mapped read-only as long as anything refers to the object, or bytes
/// embedded in the program.
///
/// They are never written to; hence `@unchecked Sendable`.
final class MappedFile: @unchecked Sendable {
  let name: String
  let bytes: UnsafeRawBufferPointer
  /// Whether this object must unmap the bytes.
  private let isMapped: Bool

  /// Uses bytes embedded in the program, which must exist as long as the program runs.
  init(embedded bytes: UnsafeRawBufferPointer, name: String) {
    self.name = name
    self.bytes = bytes
    isMapped = false
  }

  /// Maps a regular file, which must not be empty.
  init(_ url: URL) throws(WeightsError) {
    name = url.relativePath
    guard url.isFileURL else {
      throw .unreadable(file: name, reason: "it is not a file on this computer; download it first")
    }
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(file: name, reason: Self.reason(errno)) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(file: name, reason: Self.reason(errno))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR:
      throw .unreadable(file: name, reason: "it is a folder; name a weights file in it")
    default: throw .unreadable(file: name, reason: "it is not a regular file")
    }
    let count = Int(status.st_size)
    guard count > 0 else { throw .unreadable(file: name, reason: "the file is empty") }
    let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let base, base != MAP_FAILED else {
      throw .unreadable(file: name, reason: Self.reason(errno))
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
    isMapped = true
  }

  deinit {
    guard isMapped else { return }
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }

  /// A range of the bytes; nil if it reaches beyond the file.
  func slice(at offset: Int, count: Int) -> StoredBytes? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset,
      let base = bytes.baseAddress
    else { return nil }
    return StoredBytes(start: base + offset, count: count, owner: self)
  }

  /// Releases the memory pages of `count` bytes; reading the bytes loads the pages again. Ranges of
  /// less than 64 KiB are kept, because the call would cost more than it saves.
  func releasePages(from start: UnsafeRawPointer, count: Int) {
    let page = Int(getpagesize())
    guard isMapped, count >= 1 << 16, let base = bytes.baseAddress, start >= base,
      start - base <= bytes.count - count
    else { return }
    let offset = (start - base) / page * page
    madvise(
      UnsafeMutableRawPointer(mutating: base + offset), start + count - (base + offset),
      MADV_DONTNEED)
  }

  static func reason(_ code: Int32) -> String {
    switch code {
    case ENOENT: "there is no such file"
    case EACCES: "permission denied"
    default: String(cString: strerror(code))
    }
  }
}

/// A cursor that reads little-endian numbers and ranges of bytes in order, never past the end.
struct ByteCursor {
  let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
    self.bytes = bytes
    self.position = min(max(0, position), bytes.count)
  }

  var remaining: Int { bytes.count - position }

  /// The next `count` bytes, or nil if fewer remain.
  mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= remaining else { return nil }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// The next little-endian integer, or nil if too few bytes remain.
  mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) -> T? {
    guard MemoryLayout<T>.size <= remaining else { return nil }
    defer { position += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// The bytes up to the next line feed, which is skipped; nil if there is none.
  mutating func line() -> UnsafeRawBufferPointer? {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { return nil }
    defer { position = end + 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
  }
}
