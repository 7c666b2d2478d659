import Foundation

/// The files that a list of paths, folders and patterns names.
///
/// ```swift
/// let found = MediaFiles.expand(["clips/", "photos/*.jpg"])
/// for file in found.files { print(file.path) }
/// for problem in found.problems { print(problem) }
/// ```
public struct MediaFiles: Sendable {
  /// The files, each once, in the order of the paths, and sorted within a folder or pattern.
  public var files: [URL] = []
  /// The paths for which there is no file, and folders that cannot be read. They do not stop the
  /// others.
  public var problems: [MediaError] = []

  /// The number of files in folders that were skipped because they are not of the wanted kinds, by
  /// extension in lower case; an empty text for files without one. Hidden files are not counted.
  public var passedOver: [String: Int] = [:]

  /// Finds the files for paths from a command line.
  ///
  /// A path to a file always adds this file, whatever its name. A folder adds the pictures and
  /// videos of `kinds` in it, at any depth: files with a known extension (`MediaKind.extensions`),
  /// and others whose first bytes show such a file. Hidden files and folders are left out, links
  /// are followed, and every folder is visited once. Folders and links that cannot be read are
  /// problems; other files are counted. Any other path is a pattern with `*`, `?` and `[...]` that
  /// the shell did not expand; a folder that it matches is handled in the same way.
  public static func expand(
    _ paths: [String], kinds: Set<MediaKind> = Set(MediaKind.allCases)
  ) -> MediaFiles {
    var result = MediaFiles()
    // Compares bytes: Swift's String treats two different file names as equal if they contain, for
    // example, é as one or as two characters.
    var seen: Set<[UInt8]> = []
    var resolved: [String: String] = [:]
    func add(_ found: [URL]) {
      for url in found {
        // A link to a file counts as a separate file, because results are looked up by its name.
        let path = url.path
        let parent = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
        let folder =
          resolved[parent] ?? url.deletingLastPathComponent().resolvingSymlinksInPath().path
        resolved[parent] = folder
        let key = Array("\(folder)/\(url.lastPathComponent)".utf8)
        if seen.insert(key).inserted { result.files.append(url) }
      }
    }
    func add(folder path: String) {
      let walk = FolderWalk(path, kinds)
      add(walk.files)
      result.problems += walk.problems
      result.passedOver.merge(walk.passedOver, uniquingKeysWith: +)
      if walk.files.isEmpty, walk.problems.isEmpty {
        result.problems.append(nothing(in: path, kinds))
      }
    }
    for path in paths {
      switch Entry(path) {
      case .file: add([URL(fileURLWithPath: path, isDirectory: false)])
      case .folder: add(folder: path)
      case nil:
        let matches = matches(path)
        if matches.isEmpty {
          let reason = isPattern(path) ? "no file matches" : "there is no such file or folder"
          result.problems.append(.nothingFound(path: path, reason: reason))
        }
        for match in matches {
          if Entry(match) == .folder {
            add(folder: match)
          } else {
            add([URL(fileURLWithPath: match, isDirectory: false)])
          }
        }
      }
    }
    return result
  }

  /// A description of the skipped files, the most frequent extension first; nil if there are none.
  public var passedOverText: String? {
    let total = passedOver.values.reduce(0, +)
    guard total > 0 else { return nil }
    let parts = passedOver.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { name, count in
      let shown = name.isEmpty ? "without an extension" : ".\(name.prefix(20))"
      return passedOver.count == 1 ? shown : "\(count) \(shown)"
    }
    let more = parts.count > 8 ? ", and \(parts.count - 8) more kinds" : ""
    return "\(total) \(total == 1 ? "file" : "files") skipped: "
      + parts.prefix(8).joined(separator: ", ") + more
  }

  private enum Entry {
    case file, folder

    init?(_ path: String) {
      var information = stat()
      guard FilePath.withBytes(path, { stat($0, &information) }) == 0 else { return nil }
      self = information.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }
  }

  private static func nothing(in path: String, _ kinds: Set<MediaKind>) -> MediaError {
    let names = kinds.map(\.rawValue).sorted().joined(separator: " or ")
    return .nothingFound(path: path, reason: "there is no \(names) in this folder")
  }

  private static func isPattern(_ path: String) -> Bool {
    path.contains { "*?[".contains($0) }
  }

  /// The paths that match a pattern, sorted; empty if the path is not a pattern.
  private static func matches(_ pattern: String) -> [String] {
    guard isPattern(pattern) else { return [] }
    var found = glob_t()
    defer { globfree(&found) }
    guard FilePath.withBytes(pattern, { glob($0, GLOB_NOSORT, nil, &found) }) == 0 else {
      return []
    }
    return (0..<Int(found.gl_pathc)).compactMap { place in
      found.gl_pathv[place].map { path in
        FilePath.text(Array(UnsafeRawBufferPointer(start: path, count: strlen(path))))
      }
    }.sorted()
  }
}
