import CZlib
import DeepfakeCore
import Foundation

extension ZipDirectory {
  /// The unpacked contents of an entry.
  ///
  /// - Throws: `WeightsError` if the contents are larger than `limit` bytes, damaged, or packed by
  ///   a method other than deflate.
  package func contents(of entry: Entry, limit: Int) throws(WeightsError) -> Data {
    guard entry.size <= UInt64(limit) else {
      throw failure("\(entry.name) has \(entry.size) bytes, more than the \(limit) expected")
    }
    let size = Int(entry.size)
    let unpacked = try withBytes(of: entry) { (bytes) throws(WeightsError) -> Data in
      switch entry.method {
      case 0: return Data(bytes)
      case 8: return try inflated(bytes, to: size, entry: entry.name)
      default: throw failure("\(entry.name) is compressed with a method other than deflate")
      }
    }
    guard let unpacked, unpacked.count == size else {
      throw failure("damaged zip archive: \(entry.name) is truncated")
    }
    let checksum = unpacked.withUnsafeBytes {
      crc32_z(0, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
    }
    guard size == 0 || UInt32(truncatingIfNeeded: checksum) == entry.checksum else {
      throw failure("damaged zip archive: the checksum of \(entry.name) is wrong")
    }
    return unpacked
  }

  private func inflated(
    _ bytes: UnsafeRawBufferPointer, to size: Int, entry: String
  ) throws(WeightsError) -> Data {
    var stream = z_stream()
    // Negative window bits select raw deflate data without zlib's header.
    let opened = inflateInit2_(
      &stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard opened == Z_OK, let input = UInt32(exactly: bytes.count),
      let room = UInt32(exactly: size)
    else { throw failure("\(entry) cannot be unpacked") }
    defer { inflateEnd(&stream) }
    var output = Data(count: size)
    stream.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = input
    let status = output.withUnsafeMutableBytes { target -> Int32 in
      stream.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.avail_out = room
      return inflate(&stream, Z_FINISH)
    }
    guard status == Z_STREAM_END, stream.avail_out == 0 else {
      throw failure("damaged zip archive: \(entry) cannot be unpacked")
    }
    return output
  }

  private func failure(_ reason: String) -> WeightsError {
    .unreadable(file: name, reason: reason)
  }
}
