import Foundation

/// A walk through a folder and all its subfolders. Foundation's own leaves out in silence what it cannot
/// read; here that is a problem that is told.
struct FolderWalk {
  /// Files with an extension that is looked for, sorted by path. Paths begin as the folder was given.
  private(set) var files: [URL] = []
  /// Folders, links and names that cannot be followed.
  private(set) var problems: [MediaError] = []
  private let kinds: Set<MediaKind>

  /// Hidden files and folders are left out and links to folders not followed.
  init(_ folder: URL, _ kinds: Set<MediaKind>) {
    self.kinds = kinds
    var paths: [String] = []
    var waiting = [folder.relativePath]
    while let path = waiting.popLast() {
      for name in names(in: path) where !name.hasPrefix(".") {
        let entry = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
        switch look(at: entry) {
        case .folder: waiting.append(entry)
        case .file: paths.append(entry)
        case nil: break
        }
      }
    }
    files = paths.sorted().map { URL(fileURLWithPath: $0) }
  }

  private enum Entry {
    case folder, file
  }

  private mutating func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else {
      problems.append(.unreadable(file: folder, reason: String(cString: strerror(errno))))
      return []
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        let bytes = bytes.prefix { $0 != 0 }
        if let name = String(validating: bytes, as: UTF8.self) {
          names.append(name)
        } else if isSought(String(decoding: bytes, as: UTF8.self)) {
          let path = "\(folder)/\(String(decoding: bytes, as: UTF8.self))"
          problems.append(.unreadable(file: path, reason: "its name is not UTF-8. Rename it."))
        }
      }
    }
    return names
  }

  private mutating func look(at path: String) -> Entry? {
    var information = stat()
    guard lstat(path, &information) == 0 else { return nil }
    if information.st_mode & S_IFMT == S_IFDIR { return .folder }
    guard isSought(path) else { return nil }
    guard information.st_mode & S_IFMT == S_IFLNK else { return .file }
    guard stat(path, &information) == 0 else {
      problems.append(.unreadable(file: path, reason: "the link leads nowhere"))
      return nil
    }
    return information.st_mode & S_IFMT == S_IFDIR ? nil : .file
  }

  private func isSought(_ path: String) -> Bool {
    MediaKind(extensionOf: URL(fileURLWithPath: path, isDirectory: false)).map(kinds.contains)
      ?? false
  }
}
