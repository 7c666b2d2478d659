import Foundation
import MediaIO

/// A hidden folder in the store, in which an entry is assembled before it is installed. It is
/// locked, so that only one process at a time uses it.
final class FetchFolder {
  let url: URL
  private let target: URL
  private let store: WeightsStore
  private let entry: String
  private let lock: FolderLock
  private var isInstalled = false

  /// Creates and locks the folder, and creates the store if missing. Files that a killed process
  /// left are removed.
  init(store: WeightsStore, entry: String) throws {
    self.store = store
    self.entry = entry
    target = store.folder(of: entry)
    url = store.folder.appendingPathComponent(".\(entry).new")
    lock = try Self.lockFolder(url, entry: entry)
    let left = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    for name in left { try Self.remove(url.appendingPathComponent(name)) }
  }

  /// Makes the folder and locks it.
  private static func lockFolder(_ url: URL, entry: String) throws -> FolderLock {
    for _ in 0..<100 {
      try makeFolder(url)
      do throws(FolderLock.Failure) {
        let lock = try FolderLock(folder: url, name: entry)
        if lock.isStill(url) { return lock }
      } catch {
        // Another process may have installed the entry and renamed the folder in the meantime.
        guard case .system(_, ENOENT) = error else { throw error }
      }
    }
    throw FolderLock.Failure.held(entry)
  }

  deinit {
    // After the installation, a folder of this name belongs to another process.
    if !isInstalled { try? FileManager.default.removeItem(at: url) }
  }

  /// The part file of a download. It remains when this process ends.
  var part: URL { store.folder.appendingPathComponent("\(entry).part") }

  /// A subfolder for temporary files. It is removed before the installation.
  func temporary() throws(FetchError) -> URL {
    let folder = url.appendingPathComponent(".tmp")
    try Self.makeFolder(folder)
    return folder
  }

  /// Moves the folder to the entry's place in the store, replacing an older version.
  func install() throws(FetchError) {
    try Self.remove(url.appendingPathComponent(".tmp"))
    let old = store.folder.appendingPathComponent(".\(entry).old")
    try Self.remove(old)
    if rename(target.path, old.path) != 0, errno != ENOENT {
      throw .unwritable(file: target.path, reason: String(cString: strerror(errno)))
    }
    guard rename(url.path, target.path) == 0 else {
      let reason = String(cString: strerror(errno))
      rename(old.path, target.path)
      throw .unwritable(file: target.path, reason: reason)
    }
    isInstalled = true
    try Self.remove(old)
    try Self.remove(part)
  }

  /// The size of the installed entry's files, in bytes.
  func installedSize(_ entry: WeightsCatalogue.Entry) -> Int {
    entry.files.reduce(0) {
      $0 + ((try? RegularFile.size(target.appendingPathComponent($1.name))) ?? 0)
    }
  }

  private static func makeFolder(_ url: URL) throws(FetchError) {
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(file: url.path, reason: error.reason)
    }
  }

  private static func remove(_ url: URL) throws(FetchError) {
    do {
      try FileManager.default.removeItem(at: url)
    } catch {
      guard RemovalError.isMissing(error) else {
        throw .unwritable(file: url.path, reason: error.reason)
      }
    }
  }
}

private enum RemovalError {
  static func isMissing(_ error: any Error) -> Bool {
    (error as? CocoaError)?.code == .fileNoSuchFile
  }
}
