import CFFmpeg
import Foundation

/// A SHA-256 hash that is computed piece by piece (FIPS 180-4; FFmpeg's implementation).
package final class SHA256 {
  private let state: OpaquePointer?

  package init() {
    state = av_sha_alloc()
    precondition(state != nil && av_sha_init(state, 256) == 0, "SHA256: out of memory")
  }

  deinit {
    av_free(UnsafeMutableRawPointer(state))
  }

  /// Adds bytes to the hash.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    av_sha_update(state, start.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  /// The hash of all bytes so far as 64 hexadecimal digits in lower case. The next `update` starts
  /// a new hash.
  package func digits() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    av_sha_final(state, &digest)
    av_sha_init(state, 256)
    return digest.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  /// The hash and the size of a file. `check` is called before each block of 1 MiB and can throw to
  /// stop.
  ///
  /// - Throws: `MediaError.unreadable`, and errors of `check`.
  package static func digits(
    ofFile file: URL, check: () throws -> Void = {}
  ) throws -> (digits: String, size: Int) {
    let handle = try RegularFile.open(file)
    defer { try? handle.close() }
    let hash = SHA256()
    var size = 0
    while true {
      try check()
      let block: Data
      do {
        block = try handle.read(upToCount: 1 << 20) ?? Data()
      } catch {
        throw MediaError.unreadable(file: file.relativePath, reason: error.reason)
      }
      if block.isEmpty { break }
      block.withUnsafeBytes { hash.update($0) }
      size += block.count
    }
    return (hash.digits(), size)
  }

  /// The hash of bytes in memory.
  package static func digits(of data: Data) -> String {
    let hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.digits()
  }
}
