import Foundation

/// A walk through a folder and all its subfolders, including linked ones. Unlike Foundation's, it
/// reports what it cannot read.
///
/// A file is selected by its extension or, if the extension is unknown, by its first bytes. So only
/// few files must be opened.
struct FolderWalk {
  /// The pictures and videos, sorted by path. Paths start with the folder as the caller gave it.
  private(set) var files: [URL] = []
  /// The folders and links that cannot be read.
  private(set) var problems: [MediaError] = []
  /// The number of other files, by extension.
  private(set) var passedOver: [String: Int] = [:]
  private let kinds: Set<MediaKind>

  /// The identity of a folder or file, independent of the path to it.
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

  /// Walks through `folder`. Hidden files and folders are left out. Every folder is visited once,
  /// if possible on a path without links, so links in a cycle do no harm.
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
          problems.append(.unreadable(file: path, reason: "the target of the link does not exist"))
        } else {
          passedOver[name, default: 0] += 1
        }
        return nil
      }
      type = information.st_mode & S_IFMT
      if type == S_IFDIR { return .linkedFolder }
    }
    // Only regular files are opened, because opening a pipe would block.
    if isNamed || (type == S_IFREG && kind(path).map(kinds.contains) ?? false) { return .file }
    passedOver[name, default: 0] += 1
    return nil
  }

  /// The kind by the first bytes; nil also if the file cannot be read.
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
