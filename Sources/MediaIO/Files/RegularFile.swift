import Foundation

/// Access to files that are checked to be regular: reading a pipe would block, and a device never
/// ends.
package enum RegularFile {
  /// The size in bytes of the regular file at `url`; links are followed.
  ///
  /// - Throws: `MediaError.unreadable` if it is missing, a folder or not a regular file.
  package static func size(_ url: URL) throws(MediaError) -> Int {
    guard url.isFileURL else {
      throw .unreadable(file: url.absoluteString, reason: "only local files can be read")
    }
    var information = stat()
    guard FilePath.withBytes(url.path, { stat($0, &information) }) == 0 else {
      throw .unreadable(file: url.relativePath, reason: String(cString: strerror(errno)))
    }
    switch information.st_mode & S_IFMT {
    case S_IFREG: return Int(information.st_size)
    case S_IFDIR: throw .unreadable(file: url.relativePath, reason: "it is a folder")
    default: throw .unreadable(file: url.relativePath, reason: "it is not a regular file")
    }
  }

  /// Whether there is anything at `url`, regular file or not.
  package static func exists(_ url: URL) -> Bool {
    FilePath.withBytes(url.path) { access($0, F_OK) == 0 }
  }

  /// All bytes of a file. Throws if it has more than `limit`.
  package static func read(_ url: URL, limit: Int) throws(MediaError) -> Data {
    let size = try size(url)
    guard size <= limit else {
      throw .unreadable(
        file: url.relativePath, reason: "it has \(size) bytes; the limit is \(limit)")
    }
    let handle = try open(url)
    defer { try? handle.close() }
    do {
      return try handle.readToEnd() ?? Data()
    } catch {
      throw .unreadable(file: url.relativePath, reason: error.reason)
    }
  }

  /// The first bytes of a file, at most `count`.
  static func head(_ url: URL, count: Int) throws(MediaError) -> Data {
    _ = try size(url)
    let handle = try open(url)
    defer { try? handle.close() }
    do {
      return try handle.read(upToCount: count) ?? Data()
    } catch {
      throw .unreadable(file: url.relativePath, reason: error.reason)
    }
  }

  /// Opens the file. If this fails, the error has the system's reason, which is clearer than
  /// Foundation's.
  static func open(_ url: URL) throws(MediaError) -> FileHandle {
    let descriptor = FilePath.withBytes(url.path) { Foundation.open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw .unreadable(file: url.relativePath, reason: String(cString: strerror(errno)))
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
