import DeepfakeCore
import Foundation
import MediaIO

/// The folder of a run and the files in it.
///
/// ```swift
/// let run = RunFolder(output)
/// print(try String(contentsOf: run.metrics, encoding: .utf8))  // a line an epoch
/// let model = try ClassifierModel(StateDict.read(run.best))
/// ```
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL

  /// The folder at a place; nothing is looked at or written.
  public init(_ url: URL) {
    self.url = url
  }

  /// The weights of the epoch with the lowest validation loss, ready for use.
  public var best: URL { file("best.safetensors") }
  /// The latest weights, ready for use.
  public var last: URL { file("last.safetensors") }
  /// All that a run goes on from.
  public var checkpoint: URL { file("checkpoint.safetensors") }
  /// A row an epoch.
  public var metrics: URL { file("metrics.csv") }
  /// The rows as curves.
  public var plot: URL { file("plot.svg") }
  /// The network and how it is trained, as a recipe with one member.
  public var recipe: URL { file("recipe.yaml") }
  /// What the run was begun with.
  public var facts: URL { file("run.json") }
  /// What happened.
  public var log: URL { file("log.txt") }
  /// Where a weights file waits until the checkpoint knows of its epoch.
  func pending(_ url: URL) -> URL { file("next-\(url.lastPathComponent)") }

  func file(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: false) }

  /// Whether there is a run in the folder.
  public var isUsed: Bool {
    [checkpoint, best, last].contains {
      FileManager.default.fileExists(atPath: $0.path)
    }
  }

  /// Makes the folder ready for a run: there, writable, with room for `bytes`, and nobody else's.
  ///
  /// - Parameter resuming: Whether there must be a run in it, or must not.
  /// - Returns: What keeps other processes out for as long as it lives.
  /// - Throws: `TrainingError`, `FolderLock.Failure`.
  package func prepare(resuming: Bool, bytes: Int = 0) throws -> FolderLock {
    let name = url.relativePath
    if resuming {
      guard FileManager.default.fileExists(atPath: checkpoint.path) else {
        throw TrainingError.nothingToResume(folder: name)
      }
    } else if isUsed {
      throw TrainingError.folderInUse(folder: name)
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      throw TrainingError.unwritable(file: name, reason: Self.folderReason(url, error))
    }
    let lock = try FolderLock(file: file(".lock"))
    removeLeftovers()
    try write(Data("dfkit\n".utf8), to: file(".probe"))
    try? FileManager.default.removeItem(at: file(".probe"))
    if let free = Self.freeBytes(url), free < bytes {
      throw TrainingError.diskTooSmall(folder: name, needed: bytes, free: free)
    }
    return lock
  }

  /// Removes what a process that was killed in the middle of writing left behind.
  private func removeLeftovers() {
    OutputFiles.removeParts(in: url)
    // As versions before called them.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    for name in names where name.hasPrefix(".") && name.contains(".safetensors.") {
      try? FileManager.default.removeItem(at: file(name))
    }
  }

  /// Writes a small file, whole or not at all.
  public func write(_ data: Data, to url: URL) throws(TrainingError) {
    try OutputFiles.write(data, to: url, failure: TrainingError.unwritable)
  }

  /// Adds lines to the log.
  public func log(_ text: String) throws(TrainingError) {
    let file = try OutputFile(log, .appending, failure: TrainingError.unwritable)
    try file.write((text.hasSuffix("\n") ? text : text + "\n").utf8)
    try file.close()
  }

  static func failure(_ url: URL) -> TrainingError {
    .unwritable(file: url.relativePath, reason: String(cString: strerror(errno)))
  }

  /// What stands in the way of a folder, in plainer words than Foundation's.
  private static func folderReason(_ url: URL, _ error: any Error) -> String {
    var isFolder: ObjCBool = false
    var place = url
    while place.path != "/" {
      if FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder) {
        if !isFolder.boolValue { return "\(place.path) is a file, not a folder" }
        if access(place.path, W_OK) != 0 { return String(cString: strerror(errno)) }
        break
      }
      place.deleteLastPathComponent()
    }
    return error.localizedDescription
  }

  private static func freeBytes(_ url: URL) -> Int? {
    var information = statvfs()
    guard statvfs(url.path, &information) == 0 else { return nil }
    let (bytes, overflow) = Int(information.f_bavail).multipliedReportingOverflow(
      by: Int(information.f_frsize))
    return overflow ? nil : bytes
  }
}
