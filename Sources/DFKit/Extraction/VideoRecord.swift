import FaceData
import Foundation
import Measures
import MediaIO

/// A video of the dataset and the result of its extraction: a row of `videos.csv`.
struct VideoRecord: Sendable, Equatable {
  /// The progress of a video's extraction.
  enum State: String, Sendable {
    case waiting, done, failed
  }

  var label: VideoLabel
  var state = State.waiting
  /// The number of searched frames.
  var frames = 0
  /// The number of crops.
  var faces = 0
  /// The size of the video file, in bytes.
  var bytes = 0
  /// The SHA-256 of the video file.
  var source = ""
  /// Warnings about the video, or why it failed.
  var note = ""

  init(_ label: VideoLabel) {
    self.label = label
  }

  var key: String { label.key }

  static let columns = [
    "video", "variant", "label", "original", "person", "split", "origin", "file", "state",
    "frames", "faces", "bytes", "source", "note",
  ]

  /// The row as CSV, with a line break.
  var row: String {
    CSV.line([
      label.video, label.variant ?? "", label.label.word, label.original ?? "",
      label.person ?? "", label.split ?? "", label.origin ?? "", label.file, state.rawValue,
      "\(frames)", "\(faces)", "\(bytes)", source, note,
    ]) + "\n"
  }

  /// Reads the current row of a CSV reader.
  init(_ reader: borrowing CSVReader) throws(DatasetError) {
    guard reader.count == Self.columns.count else {
      throw reader.malformed("", "has \(reader.count) fields, expected \(Self.columns.count)")
    }
    func text(_ field: Int) throws(DatasetError) -> String {
      try reader.text(field, column: Self.columns[field])
    }
    func known(_ field: Int) throws(DatasetError) -> String? {
      let text = try text(field)
      return text.isEmpty ? nil : text
    }
    func count(_ field: Int) throws(DatasetError) -> Int {
      guard let count = Int(try text(field)), count >= 0 else {
        throw reader.malformed(Self.columns[field], "is not a whole number")
      }
      return count
    }
    guard let word = FaceLabel(try text(2)) else {
      throw reader.malformed("label", "is neither REAL nor FAKE")
    }
    guard let state = State(rawValue: try text(8)) else {
      throw reader.malformed("state", "is unknown")
    }
    label = VideoLabel(word, video: try text(0), file: try text(7))
    label.variant = try known(1)
    label.original = try known(3)
    label.person = try known(4)
    label.split = try known(5)
    label.origin = try known(6)
    self.state = state
    frames = try count(9)
    faces = try count(10)
    bytes = try count(11)
    source = try text(12)
    note = try text(13)
  }

  /// Whether another record has the same label, original, person, split and origin. The path may
  /// differ.
  func isLabelled(as other: VideoRecord) -> Bool {
    var mine = label
    // The same file may be given by another path.
    mine.file = other.label.file
    return mine == other.label
  }

  /// The first part of the crops' file names: short, with plain characters only, and unique for
  /// each key.
  var slug: String {
    let plain = key.utf8.suffix(48).map { byte -> Character in
      let isPlain =
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      return isPlain ? Character(UnicodeScalar(byte)) : "_"
    }
    let name = String(plain.drop { $0 == "." })
    return name + "-" + SHA256.digits(of: Data(key.utf8)).prefix(12)
  }

  /// The folder of the crops, relative to the dataset's folder.
  var folder: String { Self.folder(ofSlug: slug) }

  static func folder(ofSlug slug: String) -> String {
    "faces/" + (slug.split(separator: "-").last ?? "").prefix(2)
  }
}
