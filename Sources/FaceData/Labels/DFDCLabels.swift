import Foundation
import Measures
import MediaIO

/// Labels from the `metadata.json` in each folder of the Deepfake Detection Challenge's data
/// (Dolhansky et al. 2020): an object with an entry for each video, `{"label", "split",
/// "original"}`. The challenge's test set has `is_fake` instead of the label. `NaN`, which pandas
/// writes for an unknown value, counts as missing.
///
/// A video's name contains its folder (`dfdc_train_part_3/abcdefghij`), since videos of one folder
/// share people.
package struct DFDCLabels: LabelSource {
  /// The name in messages.
  package let name = "DFDC's metadata.json"
  static let fileName = "metadata.json"
  /// Maximum size of the file in bytes. The challenge's files have 0.2 MB for each folder.
  static let byteLimit = 1 << 28

  /// The entries of a folder's file, and the names of the videos that were asked for.
  private struct Folder: Sendable {
    var file: URL
    var entries: [String: LineJSON]
    var asked: Set<String> = []
  }

  /// The parsed file of each folder, or why it failed; nil for a folder without one.
  private var folders: [String: Result<Folder?, DatasetError>] = [:]

  /// A source that has read nothing.
  package init() {}

  /// The label in the `metadata.json` beside the video; nil if there is no such file or entry.
  ///
  /// - Throws: `DatasetError` if the file or the entry cannot be used.
  package mutating func answer(for file: URL) throws(DatasetError) -> LabelAnswer? {
    let folder = file.standardizedFileURL.deletingLastPathComponent()
    let path = folder.path
    let name = file.lastPathComponent
    if folders[path] == nil { folders[path] = Self.read(folder) }
    guard var found = try folders[path, default: .success(nil)].get() else { return nil }
    // Removed while it is changed, or the set would be copied.
    folders[path] = nil
    found.asked.insert(name)
    folders[path] = .success(found)
    guard let entry = found.entries[name] else { return nil }
    return .label(try Self.label(entry, name, found.file))
  }

  /// Entries of the files read so far whose video was not asked for and does not exist.
  package func entriesWithoutFile() -> [LabelEntry] {
    let read = folders.sorted { $0.key < $1.key }.compactMap { try? $0.value.get() }
    return read.flatMap { folder in
      let home = folder.file.deletingLastPathComponent()
      return folder.entries.filter { name, _ in
        !folder.asked.contains(name)
          && !RegularFile.exists(home.appendingPathComponent(name, isDirectory: false))
      }.sorted { ($0.value.line, $0.key) < ($1.value.line, $1.key) }
        .map { LabelEntry(list: folder.file.relativePath, line: $0.value.line, file: $0.key) }
    }
  }

  private static func label(
    _ entry: LineJSON, _ name: String, _ file: URL
  ) throws(DatasetError) -> VideoLabel {
    func problem(_ value: LineJSON, _ text: String) -> DatasetError {
      .malformed(file: file.relativePath, line: value.line, column: "", problem: "\(name) \(text)")
    }
    guard case .object(let members) = entry.content else {
      throw problem(entry, "has \(entry.shown.prefix(40)) instead of an object {\"label\", ...}")
    }
    /// The text of a member; nil if it is missing, null, empty or NaN (as pandas writes it).
    func text(_ key: String) throws(DatasetError) -> String? {
      guard let value = members[key] else { return nil }
      switch value.content {
      case .null: return nil
      case .number(let number) where number.isNaN: return nil
      case .text(let text): return text.isEmpty ? nil : text
      default: throw problem(value, "has \(value.shown.prefix(40)) as \(key); it must be a string")
      }
    }
    let known = ["label", "is_fake"].compactMap { members[$0] }
    guard let word = known.first(where: { !$0.isNull }) else {
      throw problem(entry, "has no label; it must be REAL or FAKE")
    }
    guard let label = FaceLabel(word.shown) else {
      throw problem(word, "has the label '\(word.shown.prefix(40))'; it must be REAL or FAKE")
    }
    let prefix = file.deletingLastPathComponent().lastPathComponent + "/"
    var result = VideoLabel(label, video: prefix + VideoPath.stem(name), file: prefix + name)
    let original = try text("original")
    if label == .fake, let original { result.original = prefix + VideoPath.stem(original) }
    result.split = try text("split")
    result.origin = "dfdc"
    return result
  }

  private static func read(_ folder: URL) -> Result<Folder?, DatasetError> {
    let file = folder.appendingPathComponent(fileName, isDirectory: false)
    guard RegularFile.exists(file) else { return .success(nil) }
    func failure(_ line: Int, _ problem: String) -> Result<Folder?, DatasetError> {
      .failure(
        .malformed(
          file: file.relativePath, line: line, column: "",
          problem: problem
            + ". It must be an object with an entry {\"label\", ...} for each video of the folder."
            + " Use a complete copy of it, or give other labels with --labels"))
    }
    do {
      let root = try LineJSON.read(try RegularFile.read(file, limit: byteLimit))
      guard case .object(let entries) = root.content else {
        return failure(root.line, "\(root.shown.prefix(40)) is not an object")
      }
      return .success(Folder(file: file, entries: entries))
    } catch let problem as LineJSON.Problem {
      return failure(problem.line, "is not valid JSON: \(problem.reason)")
    } catch {
      return .failure(.unusable(file: file.relativePath, problem: error.reason))
    }
  }
}
