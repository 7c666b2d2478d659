import Foundation
import Measures
import MediaIO

/// Labels from a CSV file. It has a column `path` (or `filename`, `file`) and a column `label`
/// (REAL or FAKE in any case, or 0 or 1). Optional columns are `video`, `original`, `person`,
/// `split` and `origin` (or `source`); others are ignored. Semicolons or tabs may separate the
/// fields.
///
/// A row belongs to a video file if its path, starting from the CSV's folder, is the file's. If the
/// videos are in another place, it belongs to a file whose path ends with the row's path. Without a
/// column `video`, a video's name is its path without the extension.
package struct TableLabels: LabelSource {
  /// The name in messages: the CSV file's name.
  package var name: String { file.lastPathComponent }
  /// The CSV file.
  package let file: URL
  /// Maximum size of the file in bytes.
  static let byteLimit = 1 << 30

  private struct Entry: Sendable {
    var label: VideoLabel
    var line: Int
    var isUsed = false
  }

  private var entries: [String: Entry] = [:]
  private let folder: String

  private enum Column: String, CaseIterable {
    case path, label, video, original, person, split, origin

    init?(_ title: String) {
      switch title.filter({ !$0.isWhitespace }).lowercased() {
      case "filename", "file": self = .path
      case "source": self = .origin
      case let name:
        guard let column = Column(rawValue: name) else { return nil }
        self = column
      }
    }
  }

  /// Reads the file.
  ///
  /// - Throws: `DatasetError` if the file cannot be read or is not valid; it names the line.
  package init(_ file: URL) throws(DatasetError) {
    self.file = file
    folder = file.standardizedFileURL.deletingLastPathComponent().path
    let data: Data
    do {
      data = try RegularFile.read(file, limit: Self.byteLimit)
    } catch MediaError.unreadable(_, let reason) {
      throw .unreadable(file: file.relativePath, reason: reason)
    } catch {
      throw .unreadable(file: file.relativePath, reason: error.description)
    }
    let read: Result<[String: Entry], DatasetError> = data.withUnsafeBytes { bytes in
      Result { () throws(DatasetError) in try Self.read(bytes, file.relativePath) }
    }
    entries = try read.get()
    resolveOriginals()
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ file: String
  ) throws(DatasetError) -> [String: Entry] {
    var reader = try CSVReader(bytes, file: file)
    guard try reader.next() else {
      throw .unusable(file: file, problem: "is empty; it needs a header with path and label")
    }
    var columns: [Column: Int] = [:]
    let count = reader.count
    for index in 0..<count {
      guard let column = Column(try reader.text(index, column: "")) else { continue }
      // If two columns have the same meaning, such as `origin` and `source`, the first counts.
      if columns[column] == nil { columns[column] = index }
    }
    for column in [Column.path, .label] where columns[column] == nil {
      throw reader.malformed(
        "", "the header has no column \(column.rawValue); it needs path (or filename) and label")
    }
    var result: [String: Entry] = [:]
    var names: Set<String> = []
    while try reader.next() {
      guard reader.count == count else {
        throw reader.malformed(
          "",
          "has \(reader.count) \(reader.count == 1 ? "field" : "fields"), but the header \(count)")
      }
      func text(_ column: Column) throws(DatasetError) -> String? {
        guard let index = columns[column] else { return nil }
        let text = try reader.text(index, column: column.rawValue)
        return text.isEmpty ? nil : text
      }
      guard let path = try text(.path) else { throw reader.malformed("path", "is empty") }
      let word = try text(.label) ?? ""
      guard let label = FaceLabel(word.filter { !$0.isWhitespace }) else {
        throw reader.malformed("label", "is '\(word)'; write REAL or FAKE (or 0 or 1)")
      }
      let key = VideoPath.stem(normalized(path))
      var entry = VideoLabel(label, video: try text(.video) ?? key, file: normalized(path))
      entry.original = label == .fake ? try text(.original) : nil
      entry.person = try text(.person)
      entry.split = try text(.split)
      entry.origin = try text(.origin)
      guard result.updateValue(Entry(label: entry, line: reader.line), forKey: key) == nil else {
        throw reader.malformed("path", "'\(path)' is listed twice (file extensions are ignored)")
      }
      guard names.insert(entry.video).inserted else {
        throw reader.malformed("video", "'\(entry.video)' is also the video name of another row")
      }
    }
    guard !result.isEmpty else { throw .unusable(file: file, problem: "lists no video") }
    return result
  }

  private static func normalized(_ path: String) -> String {
    path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  /// Turns originals that are given as files, with or without a folder, into names of videos.
  private mutating func resolveOriginals() {
    let names = Set(entries.values.map(\.label.video))
    var byFile: [Substring: [String]] = [:]
    for (key, entry) in entries {
      byFile[key.split(separator: "/").last ?? "", default: []].append(entry.label.video)
    }
    for (key, entry) in entries {
      guard let original = entry.label.original, !names.contains(original) else { continue }
      let path = VideoPath.stem(Self.normalized(original))
      let found: String
      if let listed = entries[path] {
        found = listed.label.video
      } else {
        let same = byFile[path.split(separator: "/").last ?? ""] ?? []
        found = same.count == 1 ? same[0] : path
      }
      entries[key]?.label.original = found
    }
  }

  /// The label in the file's row; nil if no row matches.
  package mutating func answer(for file: URL) -> LabelAnswer? {
    answer(for: file, elsewhere: true)
  }

  /// Rows whose video was not asked for and does not exist.
  package func entriesWithoutFile() -> [LabelEntry] {
    let home = URL(fileURLWithPath: folder, isDirectory: true)
    return entries.values.filter { entry in
      !entry.isUsed
        && !RegularFile.exists(home.appendingPathComponent(entry.label.file, isDirectory: false))
    }.sorted { $0.line < $1.line }
      .map { LabelEntry(list: self.file.relativePath, line: $0.line, file: $0.label.file) }
  }

  /// The label in the file's row; nil if no row matches. If `elsewhere` is false, the file must be
  /// exactly where the CSV says.
  mutating func answer(for file: URL, elsewhere: Bool) -> LabelAnswer? {
    let path = file.standardizedFileURL.path
    if path.hasPrefix(folder + "/") || folder == "/" {
      let own = VideoPath.stem(String(path.dropFirst(folder == "/" ? 1 : folder.count + 1)))
      if let label = use(own) { return .label(label) }
    }
    guard elsewhere else { return nil }
    let parts = VideoPath.stem(path).split(separator: "/")
    for start in parts.indices {
      if let label = use(parts[start...].joined(separator: "/")) { return .label(label) }
    }
    return nil
  }

  private mutating func use(_ key: String) -> VideoLabel? {
    entries[key]?.isUsed = true
    return entries[key]?.label
  }
}
