import Foundation

/// Files from outside, checked to be regular ones: a pipe would block and a device never end.
package enum RegularFile {
  /// The size in bytes of the regular file that `url` leads to, through links.
  package static func size(_ url: URL) throws(MediaError) -> Int {
    guard url.isFileURL else {
      throw .unreadable(file: url.absoluteString, reason: "only local files are read")
    }
    var information = stat()
    guard FilePath.withBytes(url.path, { stat($0, &information) }) == 0 else {
      throw .unreadable(file: url.relativePath, reason: String(cString: strerror(errno)))
    }
    switch information.st_mode & S_IFMT {
    case S_IFREG: return Int(information.st_size)
    case S_IFDIR: throw .unreadable(file: url.relativePath, reason: "it is a folder")
    default: throw .unreadable(file: url.relativePath, reason: "it is no regular file")
    }
  }

  /// Whether something is there, be it no regular file.
  package static func exists(_ url: URL) -> Bool {
    FilePath.withBytes(url.path) { access($0, F_OK) == 0 }
  }

  /// All bytes of a file of at most `limit`.
  package static func read(_ url: URL, limit: Int) throws(MediaError) -> Data {
    let size = try size(url)
    guard size <= limit else {
      throw .unreadable(file: url.relativePath, reason: "\(size) bytes are more than \(limit)")
    }
    let handle = try open(url)
    defer { try? handle.close() }
    do {
      return try handle.readToEnd() ?? Data()
    } catch {
      throw .unreadable(file: url.relativePath, reason: error.localizedDescription)
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
      throw .unreadable(file: url.relativePath, reason: error.localizedDescription)
    }
  }

  /// Opens the file; the reason for a failure is the system's, which is plainer than Foundation's.
  static func open(_ url: URL) throws(MediaError) -> FileHandle {
    let descriptor = FilePath.withBytes(url.path) { Foundation.open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw .unreadable(file: url.relativePath, reason: String(cString: strerror(errno)))
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
