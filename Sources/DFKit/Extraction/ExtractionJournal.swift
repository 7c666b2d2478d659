import DeepfakeCore
import FaceData
import Foundation
import MediaIO

/// A file of the finished videos that are not yet in the manifest, in the order in which they were
/// finished. An incomplete last entry, which a killed process may leave, is ignored.
///
/// An entry has three parts: a line with the byte lengths of the record and the rows and a hash of
/// both; the record as in `videos.csv`; and the rows as in the manifest.
struct ExtractionJournal {
  /// A video whose crops are all in their places.
  struct Entry {
    var record: VideoRecord
    /// The bytes of its manifest rows in the journal.
    var rows: Range<Int>
  }

  private let url: URL
  private var length: Int
  private let writer: OutputFile<ExtractionError>

  /// The complete entries of a journal and their length in bytes. A missing file has none.
  ///
  /// - Throws: `ExtractionError.damaged` if the file cannot be read.
  static func read(_ url: URL) throws(ExtractionError) -> (entries: [Entry], length: Int) {
    guard FileManager.default.fileExists(atPath: url.path) else { return ([], 0) }
    let data = try mapped(url)
    var entries: [Entry] = []
    var position = 0
    while let (entry, end) = entry(data, position) {
      entries.append(entry)
      position = end
    }
    return (entries, position)
  }

  static func mapped(_ url: URL) throws(ExtractionError) -> Data {
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw .damaged(file: url.relativePath, reason: "cannot be read: \(error.reason)")
    }
  }

  private static func entry(_ data: Data, _ start: Int) -> (Entry, end: Int)? {
    let head = data.dropFirst(start).prefix(80)
    guard let feed = head.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let words = String(decoding: head[..<feed], as: UTF8.self).split(separator: " ")
    guard words.count == 3, let recordCount = Int(words[0]), let rowsCount = Int(words[1]),
      recordCount > 0, rowsCount >= 0, recordCount <= data.count, rowsCount <= data.count
    else { return nil }
    let body = feed + 1
    let rows = body + recordCount
    let end = rows + rowsCount
    guard end <= data.count, digest(data[body..<end]) == words[2] else { return nil }
    let record: VideoRecord? = data[body..<rows].withUnsafeBytes { bytes in
      guard var reader = try? CSVReader(bytes, file: ""), (try? reader.next()) == true else {
        return nil
      }
      return try? VideoRecord(reader)
    }
    return record.map { (Entry(record: $0, rows: rows..<end), end) }
  }

  private static func digest(_ data: Data) -> String {
    String(SHA256.digits(of: data).prefix(16))
  }

  /// Opens a journal to append to it, and cuts off what follows its first `length` bytes.
  init(_ url: URL, length: Int) throws(ExtractionError) {
    self.url = url
    self.length = length
    if truncate(url.path, off_t(length)) != 0, errno != ENOENT {
      throw ExtractionFolder.failure(url)
    }
    writer = try OutputFile(url, .appending, failure: ExtractionError.unwritable)
  }

  /// Appends a video.
  ///
  /// - Returns: The bytes of its manifest rows in the file.
  mutating func append(
    _ record: VideoRecord, rows: String
  ) throws(ExtractionError) -> Range<Int> {
    let body = Data((record.row + rows).utf8)
    let head = "\(record.row.utf8.count) \(rows.utf8.count) \(Self.digest(body))\n"
    try writer.write(head.utf8)
    try writer.write(body)
    try writer.flush()
    length += head.utf8.count + body.count
    return length - rows.utf8.count..<length
  }
}
