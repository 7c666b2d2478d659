import DeepfakeCore
import Foundation
import MediaIO

extension FaceManifest {
  /// The name of the manifest in a dataset's folder.
  public static let fileName = "manifest.csv"

  /// Bytes of the largest manifest that is read.
  static let byteLimit = 1 << 32

  /// Reads the manifest of a dataset: a folder with a `manifest.csv`, or a CSV file.
  ///
  /// The file is UTF-8 with a header. The columns `path` and `label` must be there; `video`, `person`,
  /// `original`, `split`, `fold`, `group`, `origin`, `frame`, `time` (seconds), `box` (four numbers with spaces between them: x1,
  /// y1, x2, y2 in pixels of the frame), `landmarks` (ten, likewise: x and y of the left eye, right eye, nose, left
  /// and right corner of the mouth, in pixels of the crop), `score` and `source` (SHA-256 of the video's
  /// file) may; others are ignored. An empty field says nothing. Paths start from the file's folder. Those of a
  /// folder's `manifest.csv` must stay in the folder; a CSV file may list pictures anywhere.
  ///
  /// - Throws: `DatasetError` with the line, at a row that cannot be right: too few or too many fields, an
  ///   unknown label, a picture listed before. Whether the pictures are there is for `checkFiles`.
  public static func read(_ url: URL) throws(DatasetError) -> FaceManifest {
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
    // Bytes are lent to a closure that cannot throw one type of error only.
    let result: Result<FaceManifest, DatasetError> = data.withUnsafeBytes { bytes in
      Result { () throws(DatasetError) in
        var reader = try ManifestReader(bytes, file: file, staysInFolder: isFolder)
        return try reader.read()
      }
    }
    var manifest = try result.get()
    manifest.digest = SHA256.digits(of: data)
    return manifest
  }

  /// The names of the columns that have a meaning.
  static let columnNames = Set(ManifestReader.Column.allCases.map(\.rawValue))

  /// The CSV file of a dataset: that of a folder, or the file itself.
  public static func file(of url: URL) -> URL {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
      ? url.appendingPathComponent(fileName, isDirectory: false) : url
  }

  /// Checks that every picture is there.
  ///
  /// - Throws: `DatasetError.missingFiles`.
  public func checkFiles() throws(DatasetError) {
    let block = 4096
    let table = table
    let missing = Parallel.map(count.dividedRoundingUp(by: block)) { index in
      table.rows[index * block..<min(count, (index + 1) * block)].filter {
        access(table.fullPath($0), F_OK) != 0
      }
    }
    let total = missing.reduce(0) { $0 + $1.count }
    if total > 0 {
      throw .missingFiles(
        count: total, first: missing.joined().prefix(10).map { table.fullPath($0) })
    }
  }
}

/// Makes a manifest of a CSV file's bytes.
struct ManifestReader {
  /// The columns that have a meaning.
  enum Column: String, CaseIterable {
    case path, label, video, person, original, split, fold, group, origin, frame, time, box
    case landmarks, score, source
  }

  private var reader: CSVReader
  private let file: URL
  private let staysInFolder: Bool
  private var table = SampleTable()
  private var fields: [Column: Int] = [:]
  private var ignored: [String] = []
  private var fieldCount = 0
  /// The sample of each path, by a hash of the path; few paths share one.
  private var seen: [Int: Int32] = [:]
  private var lines: [UInt32] = []
  /// The last word of each column: neighbours mostly have the same.
  private var latest: [Column: (bytes: [UInt8], number: Int32)] = [:]
  /// The spellings of labels so far.
  private var labels: [(bytes: [UInt8], label: FaceLabel)] = []
  private var latestFolder: (name: String, number: Int32)

  init(
    _ bytes: UnsafeRawBufferPointer, file: URL, staysInFolder: Bool
  ) throws(DatasetError) {
    reader = try CSVReader(bytes, file: file.relativePath)
    self.file = file
    self.staysInFolder = staysInFolder
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
          "has \(reader.count) \(reader.count == 1 ? "field" : "fields"), the header \(fieldCount);"
            + " is the file cut off, or a comma not in quotes?")
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
        file: file.relativePath, problem: "is empty; it needs a header with path and label")
    }
    fieldCount = reader.count
    for index in 0..<fieldCount {
      let text = try reader.text(index, column: "")
      let name = text.filter { !$0.isWhitespace }.lowercased()
      guard let column = Column(rawValue: name) else {
        ignored.append(text)
        continue
      }
      guard fields.updateValue(index, forKey: column) == nil else {
        throw reader.malformed(name, "is in the header twice")
      }
    }
    for column in [Column.path, .label] where fields[column] == nil {
      throw reader.malformed(
        "", "the header has no column \(column.rawValue); it needs path and label")
    }
  }

  private mutating func row(root: Int32) throws(DatasetError) -> SampleTable.Row {
    let path = try self.path()
    let (folder, name) = FaceManifest.parts(path)
    guard let place = table.add(name: name.utf8) else {
      throw reader.malformed("path", "the names are longer than 4 GiB in all")
    }
    var row = SampleTable.Row(
      root: root, folder: number(ofFolder: folder),
      nameStart: place.start, nameCount: place.count, label: try label())
    try checkNew(path, row)
    row.video = try word(.video)
    row.person = try word(.person)
    row.original = try word(.original)
    row.split = try word(.split)
    row.origin = try word(.origin)
    row.group = try word(.group)
    row.source = try word(.source)
    row.fold = try count(.fold, from: 1)
    row.frame = try count(.frame, from: 0)
    if let text = try text(.time) {
      guard let time = Double(text), time.isFinite else {
        throw reader.malformed("time", "is '\(text.prefix(40))', which is no number of seconds")
      }
      row.time = time
    }
    if let text = try text(.score) {
      guard let score = Float(text), score.isFinite else {
        throw reader.malformed("score", "is '\(text.prefix(40))', which is no number")
      }
      row.score = score
    }
    row.landmarks = try numbers(.landmarks, "ten")
    row.box = try numbers(.box, "four")
    return row
  }

  private func count(_ column: Column, from least: Int32) throws(DatasetError) -> Int32 {
    guard let text = try text(column) else { return SampleTable.Row.none }
    guard let number = Int32(text), number >= least else {
      throw reader.malformed(
        column.rawValue, "is '\(text.prefix(40))'; it must be a whole number from \(least)")
    }
    return number
  }

  /// The place of a column's numbers in the table.
  private mutating func numbers(
    _ column: Column, _ count: String
  ) throws(DatasetError) -> Int32 {
    guard let text = try text(column) else { return SampleTable.Row.none }
    guard let numbers = Self.numbers(text), numbers.count == (column == .box ? 4 : 10) else {
      throw reader.malformed(
        column.rawValue,
        "is '\(text.prefix(40))'; it must be \(count) numbers with spaces between them")
    }
    return table.add(numbers: numbers)
  }

  /// Finite numbers with spaces between them; nil where there is anything else.
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

  /// The text of a column; nil where it is empty or there is no such column.
  private func text(_ column: Column) throws(DatasetError) -> String? {
    guard let field = fields[column], !reader[field].isEmpty else { return nil }
    return try reader.text(field, column: column.rawValue)
  }

  private mutating func word(_ column: Column) throws(DatasetError) -> Int32 {
    guard let field = fields[column], !reader[field].isEmpty else { return SampleTable.Row.none }
    if let last = latest[column], last.bytes.elementsEqual(reader[field]) { return last.number }
    let number = table.words.number(of: try reader.text(field, column: column.rawValue))
    latest[column] = (Array(reader[field]), number)
    return number
  }

  private mutating func number(ofFolder folder: Substring) -> Int32 {
    if latestFolder.name == folder { return latestFolder.number }
    latestFolder = (String(folder), table.words.number(of: String(folder)))
    return latestFolder.number
  }

  private mutating func label() throws(DatasetError) -> FaceLabel {
    let bytes = reader[fields[.label] ?? 0]
    if let known = labels.first(where: { $0.bytes.elementsEqual(bytes) }) { return known.label }
    let text = try text(.label) ?? ""
    guard let label = FaceLabel(text.trimmingCharacters(in: .whitespaces)) else {
      throw reader.malformed(
        "label", "is '\(text.prefix(40))'; it must be REAL or FAKE (or 0 or 1)")
    }
    labels.append((Array(bytes), label))
    return label
  }

  /// The path with neither `.` nor needless `..` and slashes in it.
  private func path() throws(DatasetError) -> String {
    guard let text = try text(.path) else { throw reader.malformed("path", "is empty") }
    guard !text.utf8.contains(0) else { throw reader.malformed("path", "has a zero byte in it") }
    guard text.utf8.count <= 4096 else {
      throw reader.malformed("path", "is longer than 4096 bytes")
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
      throw reader.malformed("path", "'\(text.prefix(200))' names no file")
    }
    if staysInFolder, parts[0].isEmpty || parts[0] == ".." {
      throw reader.malformed(
        "path",
        "'\(text.prefix(200))' leads out of the dataset's folder; to use pictures from elsewhere, name"
          + " the CSV file instead of the folder")
    }
    return parts.joined(separator: "/")
  }

  /// Whether every part of a relative path is a name that does not begin with a dot: most are so.
  private static func isPlain(_ path: String) -> Bool {
    let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
    var last = slash
    for byte in path.utf8 {
      if last == slash, byte == slash || byte == dot { return false }
      last = byte
    }
    return last != slash
  }

  /// Refuses a path that a row before had.
  private mutating func checkNew(_ path: String, _ row: SampleTable.Row) throws(DatasetError) {
    let number = Int32(clamping: table.rows.count)
    lines.append(UInt32(clamping: reader.line))
    var hash = path.hashValue
    while let other = seen[hash] {
      if table.path(table.rows[Int(other)]) == path {
        throw reader.malformed(
          "path", "'\(path.prefix(200))' stands in line \(lines[Int(other)]) already; remove one")
      }
      hash &+= 1
    }
    seen[hash] = number
  }
}
