import CFFmpeg
import Foundation

/// A SHA-256 that takes its bytes piece by piece (FIPS 180-4; FFmpeg's implementation).
package final class SHA256 {
  private let state: OpaquePointer?

  /// The hash of nothing so far.
  package init() {
    state = av_sha_alloc()
    precondition(state != nil && av_sha_init(state, 256) == 0, "SHA256: out of memory")
  }

  deinit {
    av_free(UnsafeMutableRawPointer(state))
  }

  /// Adds bytes.
  package func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    av_sha_update(state, start.assumingMemoryBound(to: UInt8.self), bytes.count)
  }

  /// The hash of all bytes as 64 hexadecimal digits, lower case. What is added next begins another.
  package func digits() -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    av_sha_final(state, &digest)
    av_sha_init(state, 256)
    return digest.map { byte in
      let digits = String(byte, radix: 16)
      return byte < 16 ? "0" + digits : digits
    }.joined()
  }

  /// The hash of bytes in memory.
  package static func digits(of data: Data) -> String {
    let hash = SHA256()
    data.withUnsafeBytes { hash.update($0) }
    return hash.digits()
  }
}
