import DeepfakeCore
import Foundation
import MediaIO

/// Manifests with some columns written anew and everything else as it was.
package struct ManifestColumns: Sendable {
  private let columns: [ManifestColumn]

  /// The columns that tell some properties of samples, such as `\.split`. They take the place of
  /// those that the manifests have, or come after them.
  package init(_ fields: [PartialKeyPath<FaceSample>]) {
    columns = fields.map(ManifestColumn.of)
  }

  /// Writes the rows of some manifests, one after the other, into one file, whole or not at all.
  ///
  /// - Parameters:
  ///   - manifests: as `FaceManifest.read` takes them. Where their folders are not the output's,
  ///     paths are written anew, so that they lead to the same files.
  ///   - output: may be one of the manifests.
  ///   - dropped: columns that are left out, by the properties that they tell.
  ///   - fill: sets the properties of a row, which are nil before. Rows are numbered over all
  ///     manifests; a row for which `fill` returns false is left out.
  /// - Throws: `DatasetError` where a manifest cannot be read or the file not be written.
  package func write(
    _ manifests: [URL], to output: URL, dropping dropped: [PartialKeyPath<FaceSample>] = [],
    fill: (Int, inout FaceSample) -> Bool
  ) throws(DatasetError) {
    let names = columns.map(\.name)
    let unwanted = Set(names + dropped.map { ManifestColumn.of($0).name })
    var sources: [Source] = []
    for manifest in manifests { sources.append(try Source(manifest)) }
    var header: [String] = []
    for source in sources {
      for name in source.header
      where !header.contains(name) && !unwanted.contains(name) {
        header.append(name)
      }
    }
    let sink = try OutputFile(output, failure: DatasetError.unwritable)
    try sink.write("\(CSV.line(header + names))\n".utf8)
    let blank = FaceSample(path: "", file: output, label: .real)
    var number = 0
    for source in sources {
      let rebase = source.rebase(to: output)
      try source.forEachRow { fields throws(DatasetError) in
        var sample = blank
        let isKept = fill(number, &sample)
        number += 1
        guard isKept else { return }
        let row = header.map { name in
          source.column[name].map { name == "path" ? rebase(fields($0)) : fields($0) } ?? ""
        }
        try sink.write("\(CSV.line(row + columns.map { $0.text(sample) }))\n".utf8)
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
          names.append(ManifestColumn.named(text)?.name ?? text)
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

/// The text of manifests, which `FaceManifest.read` reads back as it was.
package enum ManifestWriter {
  /// The first line, with its end.
  package static let header = CSV.line(ManifestColumn.all.map(\.name)) + "\n"

  /// A sample's line, with its end.
  package static func row(_ sample: FaceSample) -> String {
    CSV.line(ManifestColumn.all.map { $0.text(sample) }) + "\n"
  }
}
