import DeepfakeCore
import Foundation
import MediaIO

/// Manifests with some columns written anew and everything else as it was.
public struct ManifestColumns: Sendable {
  /// The columns' names.
  public let names: [String]

  /// Columns of these names, which take the place of those that the manifests have, or come after them.
  public init(_ names: [String]) {
    self.names = names
  }

  /// Writes the rows of some manifests, one after the other, into one file, whole or not at all.
  ///
  /// - Parameters:
  ///   - manifests: as `FaceManifest.read` takes them. Where their folders are not the output's, paths are
  ///     written anew, so that they lead to the same files.
  ///   - output: may be one of the manifests.
  ///   - dropped: columns that are left out.
  ///   - values: the columns' fields for a row, whose number counts over all manifests; nil to leave it out.
  /// - Throws: `DatasetError` where a manifest cannot be read or the file not be written.
  public func write(
    _ manifests: [URL], to output: URL, dropping dropped: Set<String> = [],
    values: (Int) -> [String]?
  ) throws(DatasetError) {
    var sources: [Source] = []
    for manifest in manifests { sources.append(try Source(manifest)) }
    var header: [String] = []
    for source in sources {
      for name in source.header
      where !header.contains(name) && !names.contains(name) && !dropped.contains(name) {
        header.append(name)
      }
    }
    let sink = try OutputFile(output, failure: DatasetError.unwritable)
    try sink.write("\(CSV.line(header + names))\n".utf8)
    var number = 0
    for source in sources {
      let rebase = source.rebase(to: output)
      try source.forEachRow { fields throws(DatasetError) in
        let added = values(number)
        number += 1
        guard let added else { return }
        let row = header.map { name in
          source.column[name].map { name == "path" ? rebase(fields($0)) : fields($0) } ?? ""
        }
        try sink.write("\(CSV.line(row + added))\n".utf8)
      }
    }
    try sink.close()
  }
}

/// A manifest's bytes and what its columns are called.
private struct Source {
  let file: URL
  let data: Data
  let header: [String]
  let column: [String: Int]

  init(_ manifest: URL) throws(DatasetError) {
    file = FaceManifest.file(of: manifest)
    do {
      data = try RegularFile.read(file, limit: FaceManifest.byteLimit)
    } catch {
      throw .unreadable(file: file.relativePath, reason: error.description)
    }
    let file = file
    let names: Result<[String], DatasetError> = data.withUnsafeBytes { bytes in
      Result { () throws(DatasetError) in
        var reader = try CSVReader(bytes, file: file.relativePath)
        guard try reader.next() else { return [] }
        var names: [String] = []
        for index in 0..<reader.count {
          let text = try reader.text(index, column: "")
          let known = text.filter { !$0.isWhitespace }.lowercased()
          names.append(FaceManifest.columnNames.contains(known) ? known : text)
        }
        return names
      }
    }
    header = try names.get()
    column = Dictionary(zip(header, header.indices)) { first, _ in first }
  }

  /// Calls `body` with each row but the header, as a function from a field's number to its text.
  func forEachRow(
    _ body: ((Int) -> String) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let result: Result<Void, DatasetError> = data.withUnsafeBytes { bytes in
      Result { () throws(DatasetError) in
        var reader = try CSVReader(bytes, file: file.relativePath)
        _ = try reader.next()
        while try reader.next() {
          let row = reader
          try body { String(decoding: row[$0], as: UTF8.self) }
        }
      }
    }
    try result.get()
  }

  /// Makes a path that starts from this manifest's folder one that starts from the output's.
  func rebase(to output: URL) -> (String) -> String {
    let from = file.standardizedFileURL.deletingLastPathComponent().path
    let to = output.standardizedFileURL.deletingLastPathComponent().path
    if from == to { return { $0 } }
    let (a, b) = (from.split(separator: "/"), to.split(separator: "/"))
    let shared = zip(a, b).prefix { $0 == $1 }.count
    let lead = [String](repeating: "..", count: b.count - shared) + a[shared...].map(String.init)
    return { $0.hasPrefix("/") ? $0 : (lead + [$0]).joined(separator: "/") }
  }
}
