import DeepfakeCore
import Foundation
import MediaIO
import Training

/// The videos that are done and not yet in the manifest, in the order in which they were done. An
/// entry that a killed process did not write to its end is as if it was not there.
///
/// An entry is a line with the lengths of record and rows and a hash of both, the record as in
/// `videos.csv`, and the rows as in the manifest.
struct ExtractionJournal {
  /// A video that is done.
  struct Entry {
    var record: VideoRecord
    /// Where its rows are in the file.
    var rows: Range<Int>
  }

  private let url: URL
  private var length: Int
  private let writer: OutputFile<ExtractionError>

  /// The whole entries of a journal, and the bytes that they take. A missing file has none.
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

  /// Opens a journal to go on behind its whole entries.
  init(_ url: URL, length: Int) throws(ExtractionError) {
    self.url = url
    self.length = length
    if truncate(url.path, off_t(length)) != 0, errno != ENOENT {
      throw ExtractionFolder.failure(url)
    }
    writer = try OutputFile(url, .appending, failure: ExtractionError.unwritable)
  }

  /// Adds a video.
  ///
  /// - Returns: where its rows are in the file.
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
