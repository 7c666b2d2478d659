import Foundation

/// A walk through a folder and all its subfolders, links to folders included. Foundation's own
/// leaves out in silence what it cannot read; here that is a problem that is told.
///
/// A file is taken for its extension or, where that says nothing, for its first bytes: few files of
/// a folder have to be opened.
struct FolderWalk {
  /// Pictures and videos, sorted by path. Paths begin as the folder was given.
  private(set) var files: [URL] = []
  /// Folders and links that cannot be followed.
  private(set) var problems: [MediaError] = []
  /// How many other files there are, by extension.
  private(set) var passedOver: [String: Int] = [:]
  private let kinds: Set<MediaKind>

  /// A folder or file, wherever the path to it leads.
  private struct Identity: Hashable {
    var device: UInt64
    var number: UInt64

    init(_ information: stat) {
      device = UInt64(truncatingIfNeeded: information.st_dev)
      number = UInt64(truncatingIfNeeded: information.st_ino)
    }
  }

  private enum Entry {
    case folder, linkedFolder, file
  }

  /// Hidden files and folders are left out. Every folder is walked through once, by the way without
  /// links where there is one, so that links that lead back end nowhere.
  init(_ folder: String, _ kinds: Set<MediaKind>) {
    self.kinds = kinds
    var paths: [String] = []
    var waiting = [folder.hasSuffix("//") ? URL(fileURLWithPath: folder).relativePath : folder]
    var linked: [String] = []
    var seen: Set<Identity> = []
    while true {
      if waiting.isEmpty {
        linked.sort(by: >)
        waiting = linked.popLast().map { [$0] } ?? []
      }
      guard let path = waiting.popLast() else { break }
      var information = stat()
      if FilePath.withBytes(path, { stat($0, &information) }) == 0,
        !seen.insert(Identity(information)).inserted
      {
        continue
      }
      for name in names(in: path) where !name.hasPrefix(".") {
        let entry = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
        switch look(at: entry) {
        case .folder: waiting.append(entry)
        case .linkedFolder: linked.append(entry)
        case .file: paths.append(entry)
        case nil: break
        }
      }
    }
    files = paths.sorted().map { URL(fileURLWithPath: $0, isDirectory: false) }
  }

  private mutating func names(in folder: String) -> [String] {
    guard let stream = FilePath.withBytes(folder, { opendir($0) }) else {
      problems.append(.unreadable(file: folder, reason: String(cString: strerror(errno))))
      return []
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        names.append(FilePath.text(Array(bytes.prefix { $0 != 0 })))
      }
    }
    return names
  }

  private mutating func look(at path: String) -> Entry? {
    var information = stat()
    guard FilePath.withBytes(path, { lstat($0, &information) }) == 0 else { return nil }
    var type = information.st_mode & S_IFMT
    if type == S_IFDIR { return .folder }
    let name = MediaKind.extensionOf(path)
    let isNamed = MediaKind(extension: name).map(kinds.contains) ?? false
    if type == S_IFLNK {
      guard FilePath.withBytes(path, { stat($0, &information) }) == 0 else {
        if isNamed {
          problems.append(.unreadable(file: path, reason: "the link leads nowhere"))
        } else {
          passedOver[name, default: 0] += 1
        }
        return nil
      }
      type = information.st_mode & S_IFMT
      if type == S_IFDIR { return .linkedFolder }
    }
    // A pipe would block.
    if isNamed || (type == S_IFREG && kind(path).map(kinds.contains) ?? false) { return .file }
    passedOver[name, default: 0] += 1
    return nil
  }

  /// The kind that the first bytes show; nil for a file that cannot be read, too.
  private func kind(_ path: String) -> MediaKind? {
    let descriptor = FilePath.withBytes(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return withUnsafeTemporaryAllocation(
      byteCount: MediaSignature.headSize, alignment: 16
    ) { bytes in
      let count = read(descriptor, bytes.baseAddress, bytes.count)
      return count > 0 ? MediaSignature.kind(bytes[..<count]) : nil
    }
  }
}
