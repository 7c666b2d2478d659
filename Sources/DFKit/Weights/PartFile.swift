import DeepfakeCore
import Foundation
import MediaIO

/// A file that is written piece by piece, with the SHA-256 of its contents.
final class PartFile {
  let url: URL
  /// The number of bytes in the file.
  private(set) var count = 0
  private let hash = SHA256()
  private let descriptor: Int32

  /// Opens the file, or creates it. Existing contents are kept and hashed.
  ///
  /// - Throws: `FetchError.unwritable` if it cannot be opened, and `CancellationError` in a
  ///   cancelled task.
  init(_ url: URL) throws {
    self.url = url
    descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw Self.failure(url) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      try Task.checkCancellation()
      let read = Foundation.read(descriptor, &buffer, buffer.count)
      guard read >= 0 else { throw Self.failure(url) }
      if read == 0 { break }
      buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<read])) }
      count += read
    }
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FetchError) {
    guard OutputFiles.write(bytes, to: descriptor) else { throw Self.failure(url) }
    hash.update(bytes)
    count += bytes.count
  }

  /// Appends bytes.
  func append(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in try append(bytes) }
  }

  /// Removes all contents.
  func empty() throws(FetchError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw Self.failure(url)
    }
    count = 0
    _ = hash.digits()
  }

  /// Flushes the file to disk, so that it survives a power failure.
  ///
  /// - Returns: The SHA-256 in hexadecimal digits.
  func finish() throws(FetchError) -> String {
    guard fsync(descriptor) == 0 else { throw Self.failure(url) }
    return hash.digits()
  }

  private static func failure(_ url: URL) -> FetchError {
    .unwritable(file: url.path, reason: String(cString: strerror(errno)))
  }
}
