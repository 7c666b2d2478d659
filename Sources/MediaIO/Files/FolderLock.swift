import Foundation

/// A lock on a folder against other processes and other jobs of this process. It is held until it
/// is released or deinitialised. The system releases it if the process ends in any way.
package final class FolderLock: Sendable {
  /// The reason why the folder was not locked.
  package enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another job, of this process or another, holds the lock.
    case held(String)
    /// The file cannot be opened or locked; with the system's error number.
    case system(String, Int32)

    package var description: String {
      switch self {
      case .held(let name):
        "\(name): another dfkit process is using it. Wait until it ends, or use another folder."
      case .system(let name, let code):
        "\(name): cannot be locked: \(String(cString: strerror(code)))"
      }
    }
  }

  private let descriptor: Int32

  /// Locks a file, which is created if it is missing and never removed. Errors name its folder.
  package convenience init(file: URL) throws(Failure) {
    try self.init(
      descriptor: open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666),
      name: file.deletingLastPathComponent().relativePath)
  }

  /// Locks a folder itself; `name` is its name in errors.
  package convenience init(folder: URL, name: String) throws(Failure) {
    try self.init(
      descriptor: open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), name: name)
  }

  private init(descriptor: Int32, name: String) throws(Failure) {
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw .system(name, errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      // `deinit` also runs after this error, and closes the descriptor.
      throw code == EWOULDBLOCK ? .held(name) : .system(name, code)
    }
  }

  /// Whether `folder` is still the folder that was locked, and was not replaced.
  package func isStill(_ folder: URL) -> Bool {
    var (held, there) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(folder.path, &there) == 0
      && held.st_dev == there.st_dev && held.st_ino == there.st_ino
  }

  /// Releases the lock. Closing the descriptor is not enough: a child process that is starting has
  /// a copy of it until it runs its program.
  package func release() { flock(descriptor, LOCK_UN) }

  deinit {
    guard descriptor >= 0 else { return }
    release()
    close(descriptor)
  }
}
