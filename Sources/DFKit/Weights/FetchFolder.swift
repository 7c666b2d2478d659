import Foundation
import MediaIO

/// The hidden folder in the store in which an entry is put together, held by one process at a time.
final class FetchFolder {
  /// The folder.
  let url: URL
  private let target: URL
  private let store: WeightsStore
  private let entry: String
  private let lock: FolderLock
  private var isInstalled = false

  /// Makes the folder, and the store where it is missing. What a killed process left is removed.
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
        // Another process may have finished with it and moved it away in the meantime.
        guard case .system(_, ENOENT) = error else { throw error }
      }
    }
    throw FolderLock.Failure.held(entry)
  }

  deinit {
    // Once installed, a folder of that name is another process's.
    if !isInstalled { try? FileManager.default.removeItem(at: url) }
  }

  /// The part of a download; it outlives this process.
  var part: URL { store.folder.appendingPathComponent("\(entry).part") }

  /// A subfolder for what is not installed; removed before.
  func temporary() throws(FetchError) -> URL {
    let folder = url.appendingPathComponent(".tmp")
    try Self.makeFolder(folder)
    return folder
  }

  /// Puts the folder in the entry's place.
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

  /// Bytes of an installed entry.
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
