import DeepfakeCore
import Foundation
import Measures
import MediaIO

extension FaceManifest {
  /// File name of the manifest in a dataset's folder.
  public static let fileName = "manifest.csv"

  /// Maximum size of a manifest in bytes.
  static let byteLimit = 1 << 32

  /// Reads the manifest of a dataset: a folder with a `manifest.csv`, or a CSV file.
  ///
  /// The file is UTF-8 with a header. `ManifestColumn.all` lists the columns; others are ignored.
  /// An empty field means unknown. Paths are relative to the file's folder. If `url` is a folder,
  /// they must stay in it; a CSV file may list pictures anywhere.
  ///
  /// - Throws: `DatasetError` with the line, for an invalid row: too few or too many fields, an
  ///   unknown label, a picture listed before. Missing pictures are not noticed here, see
  ///   `checkFiles`.
  public static func read(_ url: URL) throws(DatasetError) -> FaceManifest {
    try read(url, needsLabels: true)
  }

  /// Reads a manifest as `read` does. If `needsLabels` is false, labels are not read: the column
  /// may be missing, and all samples count as real.
  package static func read(_ url: URL, needsLabels: Bool) throws(DatasetError) -> FaceManifest {
    guard access(url.path, F_OK) == 0 else {
      throw .unreadable(
        file: url.relativePath,
        reason: "there is no such file or folder. Name a folder with a \(fileName), or a CSV file.")
    }
    let file = file(of: url)
    let isFolder = file != url
    let data: Data
    do {
      data = try RegularFile.read(file, limit: byteLimit)
    } catch MediaError.unreadable(_, let reason) {
      throw .unreadable(
        file: file.relativePath,
        reason: reason + (isFolder ? ". The folder needs a CSV file of that name." : ""))
    } catch {
      throw .unreadable(file: file.relativePath, reason: error.description)
    }
    // `withUnsafeBytes` does not rethrow typed errors, so the closure returns a result.
    let result: Result<FaceManifest, DatasetError> = data.withUnsafeBytes { bytes in
      Result { () throws(DatasetError) in
        var reader = try ManifestReader(
          bytes, file: file, staysInFolder: isFolder, needsLabels: needsLabels)
        return try reader.read()
      }
    }
    var manifest = try result.get()
    manifest.digest = SHA256.digits(of: data)
    return manifest
  }

  /// The CSV file of a dataset: a folder's `manifest.csv`, or `url` itself.
  public static func file(of url: URL) -> URL {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
      ? url.appendingPathComponent(fileName, isDirectory: false) : url
  }

  /// Checks that every picture exists, later crops included.
  ///
  /// - Throws: `DatasetError.missingFiles` if one does not.
  public func checkFiles() throws(DatasetError) {
    let block = 4096
    let table = table
    let missing = Parallel.map(count.dividedRoundingUp(by: block)) { index -> [String] in
      var paths: [String] = []
      for row in table.rows[index * block..<min(count, (index + 1) * block)] {
        paths.append(table.fullPath(row))
        if let later = table.url(row, \.later) { paths.append(later.path) }
      }
      return paths.filter { access($0, F_OK) != 0 }
    }
    let total = missing.reduce(0) { $0 + $1.count }
    if total > 0 {
      throw .missingFiles(count: total, first: Array(missing.joined().prefix(10)))
    }
  }
}

/// Parses the bytes of a CSV file into a manifest.
struct ManifestReader {
  private var reader: CSVReader
  private let file: URL
  private let staysInFolder: Bool
  private let needsLabels: Bool
  private var table = SampleTable()
  /// The known columns of the header except path and label, each with its field number.
  private var columns: [(field: Int, column: ManifestColumn)] = []
  private var pathField = 0
  private var labelField = 0
  private var ignored: [String] = []
  private var fieldCount = 0
  /// The sample of each path, keyed by the path's hash. Collisions take the next free key.
  private var seen: [Int: Int32] = [:]
  private var lines: [UInt32] = []
  /// The last word of each field: consecutive rows mostly have the same one.
  private var latest: [(bytes: [UInt8], number: Int32)] = []
  /// The spellings of labels found so far.
  private var labels: [(bytes: [UInt8], label: FaceLabel)] = []
  private var latestFolder: (name: String, number: Int32)

  init(
    _ bytes: UnsafeRawBufferPointer, file: URL, staysInFolder: Bool, needsLabels: Bool
  ) throws(DatasetError) {
    reader = try CSVReader(bytes, file: file.relativePath)
    self.file = file
    self.staysInFolder = staysInFolder
    self.needsLabels = needsLabels
    latestFolder = ("", table.words.number(of: ""))
  }

  mutating func read() throws(DatasetError) -> FaceManifest {
    try readHeader()
    let folder = file.standardizedFileURL.deletingLastPathComponent().path
    let root = table.words.number(of: folder.hasSuffix("/") ? folder : folder + "/")
    while try reader.next() {
      guard reader.count == fieldCount else {
        throw reader.malformed(
          "",
          "has \(reader.count) \(reader.count == 1 ? "field" : "fields"), but the header"
            + " \(fieldCount); is the file truncated, or a comma not in quotes?")
      }
      table.rows.append(try row(root: root))
    }
    guard !table.rows.isEmpty else {
      throw .unusable(file: file.relativePath, problem: "lists no picture")
    }
    var manifest = FaceManifest(digest: "", table: table)
    manifest.ignoredColumns = ignored
    return manifest
  }

  private mutating func readHeader() throws(DatasetError) {
    guard try reader.next() else {
      throw .unusable(
        file: file.relativePath, problem: "is empty; it needs a header with \(Self.required)")
    }
    fieldCount = reader.count
    latest = Array(repeating: ([], SampleTable.Row.none), count: fieldCount)
    var seen: Set<String> = []
    for index in 0..<fieldCount {
      let title = try reader.text(index, column: "")
      guard let column = ManifestColumn.named(title) else {
        ignored.append(title)
        continue
      }
      guard seen.insert(column.name).inserted else {
        throw reader.malformed(column.name, "is in the header twice")
      }
      switch column.content {
      case .path: pathField = index
      case .label: labelField = index
      default: columns.append((index, column))
      }
    }
    for column in ManifestColumn.all where column.isRequired && !seen.contains(column.name) {
      if case .label = column.content, !needsLabels { continue }
      throw reader.malformed(
        "", "the header has no column \(column.name); it needs \(Self.required)")
    }
  }

  private static let required = ManifestColumn.all.filter(\.isRequired).map(\.name)
    .joined(separator: " and ")

  private mutating func row(root: Int32) throws(DatasetError) -> SampleTable.Row {
    let path = try self.path(pathField, column: "path")
    let (folder, name) = FaceManifest.parts(path)
    guard let place = table.add(name: name.utf8) else {
      throw reader.malformed("path", "the names are longer than 4 GiB in total")
    }
    var row = SampleTable.Row(
      root: root, folder: number(ofFolder: folder),
      nameStart: place.start, nameCount: place.count,
      label: needsLabels ? try label() : .real)
    try checkNew(path, row)
    for (field, column) in columns where !reader[field].isEmpty {
      try read(field, column, into: &row)
    }
    return row
  }

  /// Reads a field that is not empty.
  private mutating func read(
    _ field: Int, _ column: ManifestColumn, into row: inout SampleTable.Row
  ) throws(DatasetError) {
    switch column.content {
    case .path, .label: break
    case .file(_, let place):
      row[keyPath: place] = table.words.number(of: try path(field, column: column.name))
    case .word(_, let place): row[keyPath: place] = try word(field, column)
    case .count(_, let place, let least):
      let text = try reader.text(field, column: column.name)
      guard let number = Int32(text), number >= least else {
        throw malformed(column, text, "it must be a whole number of at least \(least)", after: ";")
      }
      row[keyPath: place] = number
    case .double(_, let place, let kind):
      let text = try reader.text(field, column: column.name)
      guard let number = Double(text), number.isFinite else {
        throw malformed(column, text, "which is not a \(kind)")
      }
      row[keyPath: place] = number
    case .float(_, let place, let kind, let limits):
      let text = try reader.text(field, column: column.name)
      guard let number = Float(text), number.isFinite, limits?.contains(number) ?? true else {
        throw malformed(column, text, "which is not a \(kind)")
      }
      row[keyPath: place] = number
    case .box(_, let place): row[keyPath: place] = try numbers(field, column, 4, "four")
    case .points(_, let place): row[keyPath: place] = try numbers(field, column, 10, "ten")
    }
  }

  private func malformed(
    _ column: ManifestColumn, _ text: String, _ problem: String, after mark: String = ","
  ) -> DatasetError {
    reader.malformed(column.name, "is '\(text.prefix(40))'\(mark) \(problem)")
  }

  /// Stores a field's numbers in the table and returns the index of the first.
  private mutating func numbers(
    _ field: Int, _ column: ManifestColumn, _ count: Int, _ word: String
  ) throws(DatasetError) -> Int32 {
    let text = try reader.text(field, column: column.name)
    guard let numbers = Self.numbers(text), numbers.count == count else {
      throw malformed(
        column, text, "it must be \(word) numbers with spaces between them", after: ";")
    }
    return table.add(numbers: numbers)
  }

  /// Parses finite numbers separated by spaces; nil if the text contains anything else or more than
  /// ten numbers.
  private static func numbers(_ text: String) -> [Float]? {
    text.withCString { start in
      var numbers: [Float] = []
      numbers.reserveCapacity(10)
      var place = UnsafeMutablePointer(mutating: start)
      while place.pointee != 0 {
        var end: UnsafeMutablePointer<CChar>? = nil
        let number = strtof(place, &end)
        guard let end, end > place, number.isFinite, numbers.count < 10 else { return nil }
        numbers.append(number)
        place = end
        while place.pointee == 32 { place += 1 }
      }
      return numbers
    }
  }

  private mutating func word(
    _ field: Int, _ column: ManifestColumn
  ) throws(DatasetError) -> Int32 {
    if latest[field].bytes.elementsEqual(reader[field]) { return latest[field].number }
    let number = table.words.number(of: try reader.text(field, column: column.name))
    latest[field] = (Array(reader[field]), number)
    return number
  }

  private mutating func number(ofFolder folder: Substring) -> Int32 {
    if latestFolder.name == folder { return latestFolder.number }
    latestFolder = (String(folder), table.words.number(of: String(folder)))
    return latestFolder.number
  }

  private mutating func label() throws(DatasetError) -> FaceLabel {
    let bytes = reader[labelField]
    if let known = labels.first(where: { $0.bytes.elementsEqual(bytes) }) { return known.label }
    let text = try reader.text(labelField, column: "label")
    guard let label = FaceLabel(text.trimmingCharacters(in: .whitespaces)) else {
      throw reader.malformed(
        "label", "is '\(text.prefix(40))'; it must be REAL or FAKE (or 0 or 1)")
    }
    labels.append((Array(bytes), label))
    return label
  }

  /// The path without `.`, unneeded `..` and repeated slashes.
  private func path(_ field: Int, column: String) throws(DatasetError) -> String {
    let text = try reader.text(field, column: column)
    guard !text.isEmpty else { throw reader.malformed(column, "is empty") }
    guard !text.utf8.contains(0) else { throw reader.malformed(column, "contains a zero byte") }
    guard text.utf8.count <= 4096 else {
      throw reader.malformed(column, "is longer than 4096 bytes")
    }
    if Self.isPlain(text) { return text }
    var parts: [Substring] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
      switch part.element {
      case "" where part.offset == 0: parts.append("")
      case "", ".": break
      case "..":
        if let last = parts.last, last != "..", !last.isEmpty {
          parts.removeLast()
        } else if parts.last != "" {
          parts.append("..")
        }
      default: parts.append(part.element)
      }
    }
    guard !text.hasSuffix("/"), parts.last?.isEmpty == false, parts.last != ".." else {
      throw reader.malformed(column, "'\(text.prefix(200))' does not name a file")
    }
    if staysInFolder, parts[0].isEmpty || parts[0] == ".." {
      throw reader.malformed(
        column,
        "'\(text.prefix(200))' is outside the dataset's folder; to use pictures from elsewhere,"
          + " give the CSV file instead of the folder")
    }
    return parts.joined(separator: "/")
  }

  /// Whether a path is relative and no part of it is empty or begins with a dot. Most paths are so
  /// and need no further work.
  private static func isPlain(_ path: String) -> Bool {
    let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
    var last = slash
    for byte in path.utf8 {
      if last == slash, byte == slash || byte == dot { return false }
      last = byte
    }
    return last != slash
  }

  /// Throws if an earlier row has the same path.
  private mutating func checkNew(_ path: String, _ row: SampleTable.Row) throws(DatasetError) {
    let number = Int32(clamping: table.rows.count)
    lines.append(UInt32(clamping: reader.line))
    var hash = path.hashValue
    while let other = seen[hash] {
      if table.path(table.rows[Int(other)]) == path {
        throw reader.malformed(
          "path", "'\(path.prefix(200))' is in line \(lines[Int(other)]) already; remove one")
      }
      hash &+= 1
    }
    seen[hash] = number
  }
}
