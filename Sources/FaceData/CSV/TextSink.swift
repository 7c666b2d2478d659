import Foundation

/// A text file that is written bit by bit under another name and takes its own when it is whole.
package final class TextSink {
  private let file: URL
  private let part: URL
  private let handle: FileHandle
  private var waiting: [UInt8] = []
  private var isDone = false

  package init(_ file: URL) throws(DatasetError) {
    self.file = file
    part = file.deletingLastPathComponent()
      .appendingPathComponent(".part-\(getpid())-\(file.lastPathComponent)")
    let descriptor = open(part.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure(file) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  deinit { if !isDone { unlink(part.path) } }

  /// Adds text.
  package func write(_ text: String) throws(DatasetError) {
    waiting.append(contentsOf: text.utf8)
    if waiting.count > 1 << 20 { try flush() }
  }

  /// Ends the file, which is in its place from then on.
  package func close() throws(DatasetError) {
    try flush()
    guard fsync(handle.fileDescriptor) == 0, rename(part.path, file.path) == 0 else {
      throw Self.failure(file)
    }
    isDone = true
  }

  private func flush() throws(DatasetError) {
    var rest = waiting[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes {
        Foundation.write(handle.fileDescriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw Self.failure(file) }
      rest = rest.dropFirst(written)
    }
    waiting.removeAll(keepingCapacity: true)
  }

  private static func failure(_ file: URL) -> DatasetError {
    .unwritable(file: file.relativePath, reason: String(cString: strerror(errno)))
  }
}
