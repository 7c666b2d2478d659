import Foundation

/// The files that a list of paths, folders and patterns stands for.
public struct MediaFiles: Sendable {
  /// The files, each once: in the order of the paths, and sorted within a folder or pattern.
  public var files: [URL] = []
  /// Paths that stand for nothing, with the reason. They do not stop the others.
  public var problems: [MediaError] = []

  /// Expands paths as they come from a command line.
  ///
  /// A file is always taken, whatever its name. A folder stands for the files in it, at any depth, that
  /// have an extension of one of `kinds`; hidden ones are left out and links to folders not followed.
  /// What cannot be read there is a problem.
  /// Anything else is a pattern with `*`, `?` and `[...]`, which a shell has left alone; a folder that it
  /// matches is taken in the same manner.
  public static func expand(
    _ paths: [String], kinds: Set<MediaKind> = Set(MediaKind.allCases)
  ) -> MediaFiles {
    var result = MediaFiles()
    // By bytes: two files may have names that Swift's String takes for equal (é in one or two parts).
    var seen: Set<[UInt8]> = []
    func add(_ found: [URL]) {
      for url in found {
        // A link to a file is a file of its own, by whose name an answer is looked for.
        let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
        let path = Array("\(folder)/\(url.lastPathComponent)".utf8)
        if seen.insert(path).inserted { result.files.append(url) }
      }
    }
    func add(folder path: String) {
      let walk = FolderWalk(URL(fileURLWithPath: path), kinds)
      add(walk.files)
      result.problems += walk.problems
      if walk.files.isEmpty, walk.problems.isEmpty {
        result.problems.append(nothing(in: path, kinds))
      }
    }
    for path in paths {
      let url = URL(fileURLWithPath: path)
      switch Entry(path) {
      case .file: add([url])
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
            add([URL(fileURLWithPath: match)])
          }
        }
      }
    }
    return result
  }

  private enum Entry {
    case file, folder

    init?(_ path: String) {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
      self = isFolder.boolValue ? .folder : .file
    }
  }

  private static func nothing(in path: String, _ kinds: Set<MediaKind>) -> MediaError {
    let names = kinds.map(\.rawValue).sorted().joined(separator: " or ")
    return .nothingFound(path: path, reason: "there is no \(names) in this folder")
  }

  private static func isPattern(_ path: String) -> Bool {
    path.contains { "*?[".contains($0) }
  }

  /// Paths that match a pattern, sorted; empty for what is none.
  private static func matches(_ pattern: String) -> [String] {
    guard isPattern(pattern) else { return [] }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
      .sorted()
  }
}
