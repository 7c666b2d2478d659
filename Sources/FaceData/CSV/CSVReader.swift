/// Reads comma-separated values (RFC 4180) row by row, in memory that does not grow with the file.
/// If the first line has no comma, the separator is the semicolon, or else the tab: spreadsheets
/// save such files with the same extension.
///
/// SwiftCSV is not used: it stops the process at a stray quote, silently fills up short rows, has
/// no line numbers and makes a dictionary of strings for each row.
package struct CSVReader {
  /// Maximum length of a row, in bytes.
  package static let rowLimit = 1 << 20

  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private let separator: UInt8
  /// Number of bytes read so far, which is where the next row begins.
  package private(set) var position: Int
  private var nextLine = 1
  private var content: [UInt8] = []
  private var ends: [Int] = []
  /// The line on which the current row begins, from 1.
  package private(set) var line = 0

  /// Makes a reader of a file's bytes, which must outlive it. A byte order mark is skipped.
  ///
  /// - Throws: `DatasetError` if the file is UTF-16.
  package init(_ bytes: UnsafeRawBufferPointer, file: String) throws(DatasetError) {
    self.bytes = bytes
    self.file = file
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw .unusable(file: file, problem: "is UTF-16; save it as UTF-8")
    }
    position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    separator = Self.separator(UnsafeRawBufferPointer(rebasing: bytes[position...]))
  }

  /// The separator of the first line, without regard to quoted text.
  private static func separator(_ bytes: UnsafeRawBufferPointer) -> UInt8 {
    let (comma, others) = (UInt8(ascii: ","), [UInt8(ascii: ";"), UInt8(ascii: "\t")])
    var isQuoted = false
    var found: Set<UInt8> = []
    for byte in bytes.prefix(rowLimit) {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == comma { return comma }
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if found.isEmpty { return comma }
        break
      }
      if others.contains(byte) { found.insert(byte) }
    }
    return others.first(where: found.contains) ?? comma
  }

  /// The number of fields of the current row.
  package var count: Int { ends.count }

  /// A field of the current row, without its quotes.
  package subscript(field: Int) -> ArraySlice<UInt8> {
    content[(field == 0 ? 0 : ends[field - 1])..<ends[field]]
  }

  /// A field of the current row as text.
  ///
  /// - Throws: `DatasetError` if it is not UTF-8.
  package func text(_ field: Int, column: String) throws(DatasetError) -> String {
    let bytes = self[field]
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw malformed(column, "is not UTF-8; save the file as UTF-8")
    }
    return text
  }

  /// An error about the current row.
  package func malformed(_ column: String = "", _ problem: String) -> DatasetError {
    .malformed(file: file, line: line, column: column, problem: problem)
  }

  /// Reads the next row that is not blank; false at the end of the file.
  package mutating func next() throws(DatasetError) -> Bool {
    repeat {
      guard position < bytes.count else { return false }
      content.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      line = nextLine
      try readRow()
    } while count == 1 && content.isEmpty
    return true
  }

  private mutating func readRow() throws(DatasetError) {
    let (comma, quote) = (separator, UInt8(ascii: "\""))
    let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    while true {
      if position < bytes.count, bytes[position] == quote { try readQuoted() }
      while position < bytes.count {
        let byte = bytes[position]
        if byte == comma || byte == feed || byte == carriage { break }
        content.append(byte)
        position += 1
        if content.count > Self.rowLimit { throw tooLong() }
      }
      ends.append(content.count)
      guard position < bytes.count else { return }
      let end = bytes[position]
      position += 1
      if end == comma { continue }
      if end == carriage, position < bytes.count, bytes[position] == feed { position += 1 }
      nextLine += 1
      return
    }
  }

  /// Reads a quoted field, up to its closing quote.
  private mutating func readQuoted() throws(DatasetError) {
    let quote = UInt8(ascii: "\"")
    position += 1
    while true {
      guard position < bytes.count else {
        throw malformed("the file ends inside quotes; use a complete copy of it")
      }
      let byte = bytes[position]
      position += 1
      if byte == quote {
        guard position < bytes.count, bytes[position] == quote else { break }
        position += 1
      } else if byte == UInt8(ascii: "\n") {
        nextLine += 1
      }
      content.append(byte)
      if content.count > Self.rowLimit { throw tooLong() }
    }
    if position < bytes.count, bytes[position] != separator,
      !"\r\n".utf8.contains(bytes[position])
    {
      throw malformed("text follows a closing quote; write each quote inside a field twice")
    }
  }

  private func malformed(_ problem: String) -> DatasetError { malformed("", problem) }

  private func tooLong() -> DatasetError {
    malformed("the row is longer than \(Self.rowLimit) bytes; is a closing quote missing?")
  }
}
