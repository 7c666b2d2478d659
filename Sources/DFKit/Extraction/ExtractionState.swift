import DeepfakeCore
import FaceData
import Foundation
import Measures
import MediaIO

/// The videos of a dataset in order, and the place of the manifest rows of each finished video.
struct ExtractionState {
  /// A range of bytes in the manifest or in the journal.
  private enum Rows {
    case manifest(Range<Int>)
    case journal(Range<Int>)
  }

  private(set) var records: [VideoRecord] = []
  private(set) var index: [String: Int] = [:]
  private var rows: [String: Rows] = [:]
  /// The length in bytes of the complete entries in the journal.
  private(set) var journalLength = 0

  /// A dataset without videos.
  init() {}

  /// Reads the state of a folder. A finished video whose rows are incomplete must be extracted
  /// again.
  init(_ folder: ExtractionFolder) throws {
    try readVideos(folder.videos)
    let found = try ManifestPart.all(of: folder.manifest)
    let journal = try ExtractionJournal.read(folder.journal)
    journalLength = journal.length
    for entry in journal.entries {
      let place = add(entry.record)
      records[place] = entry.record
      rows[entry.record.key] = .journal(entry.rows)
    }
    for place in records.indices where records[place].state == .done {
      let record = records[place]
      if case .journal = rows[record.key] { continue }
      let part = found[record.slug]
      if let part, part.count == record.faces {
        rows[record.key] = .manifest(part.range)
      } else if record.faces > 0 {
        records[place].state = .waiting
      }
    }
  }

  private mutating func readVideos(_ url: URL) throws {
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    let data = try ExtractionJournal.mapped(url)
    try data.withUnsafeBytes { bytes in
      var reader = try CSVReader(bytes, file: url.relativePath)
      _ = try reader.next()
      while try reader.next() { add(try VideoRecord(reader)) }
    }
  }

  /// Adds a video at the end if it is new. Returns its index.
  @discardableResult
  mutating func add(_ record: VideoRecord) -> Int {
    if let place = index[record.key] { return place }
    index[record.key] = records.count
    records.append(record)
    return records.count - 1
  }

  /// Stores the final record of a video and the place of its rows in the journal.
  mutating func finish(_ record: VideoRecord, rows range: Range<Int>) {
    guard let place = index[record.key] else { return }
    records[place] = record
    rows[record.key] = .journal(range)
  }

  /// Replaces the record at `place` with one of a video that is to be extracted again.
  mutating func wait(_ place: Int, with record: VideoRecord) { records[place] = record }

  func count(_ label: FaceLabel) -> Int { records.count { $0.label.label == label } }

  func writeVideos(_ folder: ExtractionFolder) throws(ExtractionError) {
    let file = try OutputFile(folder.videos, failure: ExtractionError.unwritable)
    try file.write("\(CSV.line(VideoRecord.columns))\n".utf8)
    for record in records { try file.write(record.row.utf8) }
    try file.close()
  }

  /// Writes the manifest in the order of the videos and `videos.csv`, then removes the journal.
  mutating func write(_ folder: ExtractionFolder) throws(ExtractionError) {
    let old = try Self.contents(folder.manifest)
    let journal = try Self.contents(folder.journal)
    let file = try OutputFile(folder.manifest, failure: ExtractionError.unwritable)
    try file.write(ManifestWriter.header.utf8)
    for record in records where record.state == .done {
      switch rows[record.key] {
      case .manifest(let range)?: try file.write(old[range])
      case .journal(let range)?: try file.write(journal[range])
      case nil: break
      }
    }
    try file.close()
    try writeVideos(folder)
    unlink(folder.journal.path)
  }

  private static func contents(_ url: URL) throws(ExtractionError) -> Data {
    guard FileManager.default.fileExists(atPath: url.path) else { return Data() }
    return try ExtractionJournal.mapped(url)
  }
}

/// The rows of one video in a manifest.
private struct ManifestPart {
  var range: Range<Int>
  var count: Int

  /// The parts of a manifest by the slugs of the videos; empty if there is no manifest.
  static func all(of url: URL) throws -> [String: ManifestPart] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [:] }
    let data = try ExtractionJournal.mapped(url)
    let foreign = ExtractionError.damaged(
      file: url.relativePath, reason: "its content was changed after 'dfkit extract' wrote it")
    guard data.starts(with: Data(ManifestWriter.header.utf8)) else { throw foreign }
    var parts: [String: ManifestPart] = [:]
    var last: String?
    try data.withUnsafeBytes { bytes in
      var reader = try CSVReader(bytes, file: url.relativePath)
      _ = try reader.next()
      while true {
        let start = reader.position
        guard try reader.next() else { break }
        let path = try reader.text(0, column: "path")
        guard let slug = CropName.slug(of: path.split(separator: "/").last ?? "") else {
          throw foreign
        }
        if slug == last, let part = parts[slug] {
          parts[slug] = ManifestPart(
            range: part.range.lowerBound..<reader.position, count: part.count + 1)
        } else {
          let part = ManifestPart(range: start..<reader.position, count: 1)
          guard parts.updateValue(part, forKey: slug) == nil else { throw foreign }
        }
        last = slug
      }
    }
    return parts
  }
}
