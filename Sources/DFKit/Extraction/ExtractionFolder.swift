import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// The folder of a dataset during extraction.
struct ExtractionFolder: Sendable {
  let url: URL

  /// Creates the folder, or uses an existing one.
  ///
  /// - Throws: `ExtractionError.unwritable` if it is a file or cannot be created.
  init(_ url: URL) throws(ExtractionError) {
    self.url = url
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
      !isFolder.boolValue
    {
      throw .unwritable(file: url.relativePath, reason: "it is a file, not a folder")
    }
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    } catch {
      // Foundation's sentences end with a full stop; remove it, since the message adds its own.
      let reason = error.reason.split(separator: ".").joined(separator: ".")
      throw .unwritable(file: url.relativePath, reason: reason)
    }
  }

  /// Locks the folder against other processes and removes partial files that a killed process left.
  ///
  /// - Throws: `FolderLock.Failure` if the folder cannot be locked.
  func lock() throws(FolderLock.Failure) -> FolderLock {
    let lock = try FolderLock(file: file(".lock"))
    OutputFiles.removeParts(in: url)
    return lock
  }

  var manifest: URL { file(FaceManifest.fileName) }
  var videos: URL { file("videos.csv") }
  var record: URL { file(ExtractionRecord.fileName) }
  /// The finished videos that are not yet in the manifest.
  var journal: URL { file(".journal") }
  /// The folder for temporary crops, until all crops of a video are written.
  var work: URL { url.appendingPathComponent(".work", isDirectory: true) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: false) }

  static func failure(_ url: URL) -> ExtractionError {
    .unwritable(file: url.relativePath, reason: String(cString: strerror(errno)))
  }

  /// Creates an empty folder for temporary crops. Crops that a killed process left there are
  /// removed.
  func prepareWork() throws(ExtractionError) {
    removeWork()
    guard mkdir(work.path, 0o777) == 0 else { throw Self.failure(work) }
  }

  func removeWork() {
    try? FileManager.default.removeItem(at: work)
  }

  /// Removes the crops of videos that were not finished.
  func removeCrops(ofSlugs slugs: Set<String>) {
    guard !slugs.isEmpty else { return }
    for folder in Set(slugs.map(VideoRecord.folder(ofSlug:))).sorted() {
      let place = url.appendingPathComponent(folder, isDirectory: true)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      for name in names where CropName.slug(of: name).map(slugs.contains) ?? false {
        unlink(place.appendingPathComponent(name).path)
      }
    }
  }
}

/// The file names of crops: `SLUG-p001-000123.png` is person 1 in frame 123, and
/// `SLUG-p001-000123_later.png` the same box in the later frame.
enum CropName {
  static func make(
    _ slug: String, person: Int, frame: Int, isLater: Bool = false, _ format: ImageFile.Format
  ) -> String {
    let ending = (isLater ? "_later" : "") + (format == .png ? ".png" : ".jpg")
    return "\(slug)-p\(padded(person, 3))-\(padded(frame, 6))\(ending)"
  }

  /// The slug of the video in a crop's file name; nil for other names.
  static func slug(of name: some StringProtocol) -> String? {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[2].hasPrefix("p") else { return nil }
    return "\(parts[0])-\(parts[1])"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }
}
