import DeepfakeCore
import Foundation
import MediaIO

/// Rewrites some columns of manifests and keeps the others unchanged.
package struct ManifestColumns: Sendable {
  private let columns: [ManifestColumn]

  /// The columns of some properties of samples, such as `\.split`. They replace those of the
  /// manifests and are written last.
  package init(_ fields: [PartialKeyPath<FaceSample>]) {
    columns = fields.map(ManifestColumn.of)
  }

  /// Writes the rows of some manifests, one manifest after the other, into one file. The file is
  /// replaced only after all rows are written.
  ///
  /// - Parameters:
  ///   - manifests: Folders or CSV files, as for `FaceManifest.read`. If a manifest is not in the
  ///     output's folder, its paths are changed to lead to the same files.
  ///   - output: The CSV file to write. It may be one of the manifests.
  ///   - dropped: Columns to leave out, by the properties that they store.
  ///   - fill: Sets the properties of a row, which are nil before. Gets the row's number, counted
  ///     over all manifests from 0. Returns false to leave the row out.
  /// - Throws: `DatasetError` if a manifest cannot be read or the file cannot be written.
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
          source.column[name].map { field in
            Source.paths.contains(name) ? rebase(fields(field)) : fields(field)
          } ?? ""
        }
        try sink.write("\(CSV.line(row + columns.map { $0.text(sample) }))\n".utf8)
      }
    }
    try sink.close()
  }
}

/// A manifest's bytes and the names of its columns.
private struct Source {
  let file: URL
  let data: Data
  let header: [String]
  let column: [String: Int]
  /// The columns that hold paths relative to the manifest's folder.
  static let paths = ManifestColumn.all.filter(\.isPath).map(\.name)

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

  /// Calls `body` for each row after the header. Its argument is a function from a field's number
  /// to the field's text.
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

  /// A function that changes a path relative to this manifest's folder into one relative to the
  /// output's.
  func rebase(to output: URL) -> (String) -> String {
    let from = file.standardizedFileURL.deletingLastPathComponent().path
    let to = output.standardizedFileURL.deletingLastPathComponent().path
    if from == to { return { $0 } }
    let (a, b) = (from.split(separator: "/"), to.split(separator: "/"))
    let shared = zip(a, b).prefix { $0 == $1 }.count
    let lead = [String](repeating: "..", count: b.count - shared) + a[shared...].map(String.init)
    return { $0.isEmpty || $0.hasPrefix("/") ? $0 : (lead + [$0]).joined(separator: "/") }
  }
}

/// Lines of a manifest of extracted faces, which `FaceManifest.read` reads back unchanged. They
/// have all columns except those of a teacher.
package enum ManifestWriter {
  private static let columns = ManifestColumn.all.filter { !$0.isOfTeacher }

  /// The header line, with its line feed.
  package static let header = CSV.line(columns.map(\.name)) + "\n"

  /// A sample's line, with its line feed.
  package static func row(_ sample: FaceSample) -> String {
    CSV.line(columns.map { $0.text(sample) }) + "\n"
  }
}
