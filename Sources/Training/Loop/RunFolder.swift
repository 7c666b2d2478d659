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
  /// Location of the folder.
  public let url: URL

  /// The folder at a location. Nothing is read or written.
  public init(_ url: URL) {
    self.url = url
  }

  /// The weights with the lowest validation loss, ready for use.
  public var best: URL { file("best.safetensors") }
  /// The latest weights, ready for use.
  public var last: URL { file("last.safetensors") }
  /// The complete state from which a run is resumed.
  public var checkpoint: URL { file("checkpoint.safetensors") }
  /// Of a sequence network, the frozen network whose features the LSTM reads.
  var frameNetwork: URL { file("frames.safetensors") }
  /// A CSV file with a row for each epoch, see `EpochMetrics`.
  public var metrics: URL { file("metrics.csv") }
  /// The metrics as curves over the epochs.
  public var plot: URL { file("plot.svg") }
  /// The network and its training settings, as a recipe with one member.
  public var recipe: URL { file("recipe.yaml") }
  /// The settings, data and weights that the run was started with, to resume it without options.
  public var facts: URL { file("run.json") }
  /// The log of the run.
  public var log: URL { file("log.txt") }
  /// The temporary place of a weights file until the checkpoint includes its epoch.
  func pending(_ url: URL) -> URL { file("next-\(url.lastPathComponent)") }

  func file(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: false) }

  /// Whether the folder contains a run.
  public var isUsed: Bool {
    [checkpoint, best, last].contains {
      FileManager.default.fileExists(atPath: $0.path)
    }
  }

  /// Prepares the folder for a run: creates it, locks it, checks that it is writable and that
  /// `bytes` are free, and removes leftover temporary files.
  ///
  /// - Parameter resuming: True if the folder must contain a run, false if it must not.
  /// - Returns: A lock that keeps other processes out for as long as it exists.
  /// - Throws: `TrainingError`, or `FolderLock.Failure` if the folder cannot be locked, as when
  ///   another job uses it.
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

  /// Removes unfinished files of a process that was killed while it wrote.
  private func removeLeftovers() {
    OutputFiles.removeParts(in: url)
    // Names that earlier versions used.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    for name in names where name.hasPrefix(".") && name.contains(".safetensors.") {
      try? FileManager.default.removeItem(at: file(name))
    }
  }

  /// Writes a small file. An existing file is replaced only once the new one is complete.
  public func write(_ data: Data, to url: URL) throws(TrainingError) {
    try OutputFiles.write(data, to: url, failure: TrainingError.unwritable)
  }

  /// Appends text to the log, with a line break at its end.
  public func log(_ text: String) throws(TrainingError) {
    let file = try OutputFile(log, .appending, failure: TrainingError.unwritable)
    try file.write((text.hasSuffix("\n") ? text : text + "\n").utf8)
    try file.close()
  }

  static func failure(_ url: URL) -> TrainingError {
    .unwritable(file: url.relativePath, reason: String(cString: strerror(errno)))
  }

  /// Why a folder cannot be made, in plainer words than Foundation's.
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
