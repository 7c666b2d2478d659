import Foundation
import MediaIO

/// The `metadata.json` that each folder of the Deepfake Detection Challenge's data has (Dolhansky et al.
/// 2020): an object with an entry for each video, `{"label", "split", "original"}`. The challenge's test
/// set says `is_fake` instead of the label.
///
/// Videos are named after their folder and themselves (`dfdc_train_part_3/abcdefghij`): videos of one folder
/// share people, and the name keeps the folder at hand.
public struct DFDCLabels: LabelSource {
  /// What messages call it.
  public let name = "DFDC's metadata.json"
  /// The file's name.
  static let fileName = "metadata.json"
  /// Bytes of the largest file that is read; the challenge's have 0.2 MB a folder.
  static let byteLimit = 1 << 28

  private struct Entry: Decodable {
    var label: String?
    var split: String?
    var original: String?
    var isFake: Int?

    enum CodingKeys: String, CodingKey {
      case label, split, original
      case isFake = "is_fake"
    }
  }

  /// What each folder's file says; nil for a folder without one.
  private var folders: [String: Result<[String: Entry]?, DatasetError>] = [:]

  /// A source that has read nothing.
  public init() {}

  /// What the `metadata.json` beside the video says.
  public mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer? {
    let folder = file.standardizedFileURL.deletingLastPathComponent()
    let path = folder.path
    let entries: [String: Entry]?
    if let known = folders[path] {
      entries = try known.get()
    } else {
      let read = Self.read(folder.appendingPathComponent(Self.fileName, isDirectory: false))
      folders[path] = read
      entries = try read.get()
    }
    guard let entry = entries?[file.lastPathComponent] else { return nil }
    let word = entry.label ?? entry.isFake.map { "\($0)" } ?? ""
    guard let label = FaceLabel(word) else {
      throw .unusable(
        file: folder.appendingPathComponent(Self.fileName).relativePath,
        problem: "\(file.lastPathComponent) has the label '\(word)'; REAL or FAKE is known")
    }
    let prefix = folder.lastPathComponent + "/"
    var result = VideoLabel(
      label, video: prefix + VideoPath.stem(file.lastPathComponent),
      file: prefix + file.lastPathComponent)
    if label == .fake, let original = entry.original, !original.isEmpty {
      result.original = prefix + VideoPath.stem(original)
    }
    result.split = entry.split.flatMap { $0.isEmpty ? nil : $0 }
    result.origin = "dfdc"
    return .label(result)
  }

  private static func read(_ file: URL) -> Result<[String: Entry]?, DatasetError> {
    guard FileManager.default.fileExists(atPath: file.path) else { return .success(nil) }
    do {
      let data = try RegularFile.read(file, limit: byteLimit)
      return .success(try JSONDecoder().decode([String: Entry].self, from: data))
    } catch let error as MediaError {
      return .failure(.unusable(file: file.relativePath, problem: error.description))
    } catch {
      return .failure(
        .unusable(
          file: file.relativePath,
          problem: "is not what DFDC has: an object with an entry {\"label\", ...} for each video."
            + " Take a complete copy of it, or name other labels (--labels)"))
    }
  }
}
