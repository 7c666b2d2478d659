import Foundation

/// A file that is written piece by piece.
///
/// Errors are thrown as the error that `failure` makes from the file's name and the system's
/// reason. Most error types of this package have a case for that, as in
/// `OutputFile(url, failure: WeightsError.unwritable)`.
package final class OutputFile<Failure: Error> {
  /// How the file is opened.
  ///
  /// - `whole`: The file is written under a hidden name in its folder; `close` renames it and
  ///   replaces an existing file. If the object is released before `close`, nothing remains.
  /// - `anew`: An existing file is emptied first.
  /// - `appending`: Bytes are added at the end of an existing file.
  package enum Mode {
    case whole, anew, appending
  }

  private let url: URL
  private let mode: Mode
  /// The file that is written until `close`: a hidden name for `whole`, otherwise `url`.
  private let place: URL
  private let failure: (String, String) -> Failure
  private var descriptor: Int32
  private var waiting: [UInt8] = []

  /// Creates the file, or opens an existing one as `mode` says.
  package init(
    _ url: URL, _ mode: Mode = .whole,
    failure: @escaping (_ file: String, _ reason: String) -> Failure
  ) throws(Failure) {
    self.url = url
    self.mode = mode
    self.failure = failure
    let part = "\(OutputFiles.partPrefix)\(getpid())-\(UInt32.random(in: 0...(.max)))"
    place =
      mode == .whole
      ? url.deletingLastPathComponent().appendingPathComponent(part, isDirectory: false) : url
    let start =
      switch mode {
      case .whole: O_EXCL
      case .anew: O_TRUNC
      case .appending: O_APPEND
      }
    descriptor = open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC | start, 0o666)
    guard descriptor >= 0 else { throw failed() }
  }

  deinit {
    guard descriptor >= 0 else { return }
    Foundation.close(descriptor)
    if mode == .whole { unlink(place.path) }
  }

  /// Adds bytes. They are kept in memory until there are at least 1 MiB, or until `flush` or
  /// `close`.
  package func write(_ bytes: some Sequence<UInt8>) throws(Failure) {
    waiting.append(contentsOf: bytes)
    if waiting.count >= 1 << 20 { try flush() }
  }

  /// Writes the bytes that are still in memory.
  package func flush() throws(Failure) {
    guard waiting.withUnsafeBytes({ OutputFiles.write($0, to: descriptor) }) else { throw failed() }
    waiting.removeAll(keepingCapacity: true)
  }

  /// Writes the remaining bytes and closes the file. A `whole` file appears under its name only
  /// now, and its contents survive a power failure.
  package func close() throws(Failure) {
    try flush()
    // Without fsync, a crash of the machine could leave the new name on an empty file.
    if mode == .whole, fsync(descriptor) != 0 { throw failed() }
    let isClosed = Foundation.close(descriptor) == 0
    descriptor = -1
    guard isClosed, mode != .whole || rename(place.path, url.path) == 0 else {
      let error = failed()
      if mode == .whole { unlink(place.path) }
      throw error
    }
  }

  private func failed() -> Failure {
    let reason =
      errno == ENOENT
      ? "there is no folder \(url.deletingLastPathComponent().path)" : MappedFile.reason(errno)
    return failure(url.relativePath, reason)
  }
}

/// Functions for output files that do not need an open `OutputFile`.
package enum OutputFiles {
  /// The start of the hidden names of files that are not complete yet.
  static let partPrefix = ".part-"

  /// Writes a file completely, or leaves no file and throws.
  package static func write<Failure: Error>(
    _ bytes: some Sequence<UInt8>, to url: URL,
    failure: @escaping (_ file: String, _ reason: String) -> Failure
  ) throws(Failure) {
    let file = try OutputFile(url, failure: failure)
    try file.write(bytes)
    try file.close()
  }

  /// Writes all bytes to an open file.
  ///
  /// - Returns: False if the system refuses; `errno` holds the reason.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return false }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    return true
  }

  /// Removes the incomplete files that killed processes left in `folder`. Use it only for a folder
  /// that no other process writes to.
  package static func removeParts(in folder: URL) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(partPrefix) {
      unlink(folder.appendingPathComponent(name, isDirectory: false).path)
    }
  }
}
