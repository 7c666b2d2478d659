import Foundation

/// Keeps other processes, and other jobs of this one, out of a folder for as long as it lives or
/// until it is released. The system lets go of it however the process ends.
package final class FolderLock: Sendable {
  /// Why there is no lock.
  package enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Another job, of this process or another, has it.
    case held(String)
    /// The file cannot be opened or locked: the system's error number.
    case system(String, Int32)

    /// The message for people.
    package var description: String {
      switch self {
      case .held(let name):
        "\(name): another dfkit is at work on it. Wait for it, or use another folder."
      case .system(let name, let code):
        "\(name): cannot be locked: \(String(cString: strerror(code)))"
      }
    }
  }

  private let descriptor: Int32

  /// Locks a file, which is made where it is missing and stays there. Errors name its folder.
  package convenience init(file: URL) throws(Failure) {
    try self.init(
      descriptor: open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666),
      name: file.deletingLastPathComponent().relativePath)
  }

  /// Locks a folder itself, which errors call by `name`.
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
      close(descriptor)
      throw code == EWOULDBLOCK ? .held(name) : .system(name, code)
    }
  }

  /// Whether the folder that was locked is the one that has its name now.
  package func isStill(_ folder: URL) -> Bool {
    var (held, there) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(folder.path, &there) == 0
      && held.st_dev == there.st_dev && held.st_ino == there.st_ino
  }

  /// Lets others in. A child process that is just being started has a copy of the descriptor until
  /// it runs its program, so closing it alone would not.
  package func release() { flock(descriptor, LOCK_UN) }

  deinit {
    release()
    close(descriptor)
  }
}
