import Foundation

/// Keeps other processes, and other jobs of this one, out of a folder for as long as it lives or until it is
/// released. The system lets go of it however the process ends.
public final class FolderLock: Sendable {
  /// Why there is no lock.
  public enum Failure: Error {
    /// Somebody else has it.
    case held
    /// The file cannot be opened or locked: the system's error number.
    case system(Int32)
  }

  private let descriptor: Int32

  /// Locks a file, which is made where it is missing and stays there.
  public convenience init(file: URL) throws(Failure) {
    try self.init(descriptor: open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666))
  }

  /// Locks a folder itself.
  public convenience init(folder: URL) throws(Failure) {
    try self.init(descriptor: open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW))
  }

  private init(descriptor: Int32) throws(Failure) {
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw .system(errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      throw code == EWOULDBLOCK ? .held : .system(code)
    }
  }

  /// Whether the folder that was locked is the one that has its name now.
  public func isStill(_ folder: URL) -> Bool {
    var (held, there) = (stat(), stat())
    return fstat(descriptor, &held) == 0 && stat(folder.path, &there) == 0
      && held.st_dev == there.st_dev && held.st_ino == there.st_ino
  }

  /// Lets others in. A child process that is just being started has a copy of the descriptor until it runs
  /// its program, so closing it alone would not.
  public func release() { flock(descriptor, LOCK_UN) }

  deinit {
    release()
    close(descriptor)
  }
}
