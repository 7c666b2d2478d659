import FaceDetect
import Foundation
import Measures

/// The samples of a manifest, stored compactly: about 88 bytes and the file's name for each, so
/// millions fit into memory. Words that many samples share are stored once.
package struct SampleTable: Sendable {
  /// A sample. Words are stored as numbers of `WordTable`; `none` means unknown.
  package struct Row: Sendable {
    package static let none: Int32 = -1

    package var root: Int32
    package var folder: Int32
    package var nameStart: UInt32
    package var nameCount: UInt16
    package var label: FaceLabel
    /// Whether a fake is made from this real picture when it is loaded.
    package var isMade = false
    package var video = none
    package var person = none
    package var original = none
    package var split = none
    package var origin = none
    package var group = none
    package var source = none
    /// The word is the later crop's path, relative to `root` or absolute.
    package var later = none
    package var fold = none
    package var frame = none
    /// Index in `numbers` of the first of ten numbers.
    package var landmarks = none
    /// Index in `numbers` of the first of four numbers.
    package var box = none
    /// NaN if unknown.
    package var score = Float.nan
    /// NaN if unknown.
    package var time = Double.nan
    /// NaN if no teacher gave one.
    package var probability = Float.nan
    package var teacher = none

    /// Whether a teacher judged the sample. Then its label is only the teacher's opinion.
    package var isPseudoLabelled: Bool { !probability.isNaN }
  }

  /// The files' names, concatenated (UTF-8).
  package private(set) var names: [UInt8] = []
  /// The coordinates of landmarks and boxes.
  package private(set) var numbers: [Float] = []
  package var words = WordTable()
  package var rows: [Row] = []

  /// Stores a file's name. Nil if the names would exceed 4 GiB in all or this one is longer than 64
  /// KiB.
  package mutating func add(name: some Collection<UInt8>) -> (start: UInt32, count: UInt16)? {
    guard let start = UInt32(exactly: names.count), let count = UInt16(exactly: name.count) else {
      return nil
    }
    names.append(contentsOf: name)
    return (start, count)
  }

  /// Stores the numbers of five points or of a box and returns the index of the first.
  package mutating func add(numbers added: [Float]) -> Int32 {
    let start = Int32(clamping: numbers.count)
    numbers.append(contentsOf: added)
    return start
  }

  package func name(_ row: Row) -> ArraySlice<UInt8> {
    names[Int(row.nameStart)..<Int(row.nameStart) + Int(row.nameCount)]
  }

  package func path(_ row: Row) -> String {
    words[row.folder, default: ""] + String(decoding: name(row), as: UTF8.self)
  }

  /// The path, including the manifest's folder for a relative path.
  package func fullPath(_ row: Row) -> String {
    let path = path(row)
    return path.hasPrefix("/") ? path : words[row.root, default: ""] + path
  }

  /// The location of a picture that a row names by a path, such as `later`; nil for `none`.
  package func url(_ row: Row, _ place: KeyPath<Row, Int32>) -> URL? {
    words[row[keyPath: place]].map { path in
      URL(
        fileURLWithPath: path.hasPrefix("/") ? path : words[row.root, default: ""] + path,
        isDirectory: false)
    }
  }

  package func points(_ row: Row) -> [Point]? { points(at: row.landmarks) }

  /// The five points whose numbers begin at an index of `numbers`; nil for `none`.
  func points(at start: Int32) -> [Point]? {
    guard start != Row.none else { return nil }
    let start = Int(start)
    return (0..<5).map {
      Point(x: numbers[start + 2 * $0], y: numbers[start + 2 * $0 + 1])
    }
  }

  /// The box whose numbers begin at an index of `numbers`; nil for `none`.
  func box(at start: Int32) -> Box? {
    guard start != Row.none else { return nil }
    let start = Int(start)
    return Box(
      x1: numbers[start], y1: numbers[start + 1], x2: numbers[start + 2], y2: numbers[start + 3])
  }

  /// Indices of the real samples of each video, by the video's number. Samples without a video are
  /// left out.
  package var realSamplesByVideo: [Int32: [Int32]] {
    var places: [Int32: [Int32]] = [:]
    for (index, row) in rows.enumerated() where row.label == .real && row.video >= 0 {
      places[row.video, default: []].append(Int32(clamping: index))
    }
    return places
  }

  package func sample(_ row: Row) -> FaceSample {
    var sample = FaceSample(
      path: path(row), file: URL(fileURLWithPath: fullPath(row), isDirectory: false),
      label: row.label)
    sample.isMade = row.isMade
    for column in ManifestColumn.all { column.read(row, of: self, into: &sample) }
    return sample
  }
}

/// A set of words. Each is stored once and has a number, from 0.
package struct WordTable: Sendable {
  package private(set) var words: [String] = []
  private var numbers: [String: Int32] = [:]

  /// The word's number. A new word is added.
  package mutating func number(of word: String) -> Int32 {
    if let known = numbers[word] { return known }
    let number = Int32(clamping: words.count)
    words.append(word)
    numbers[word] = number
    return number
  }

  package func find(_ word: String) -> Int32? { numbers[word] }

  package subscript(number: Int32) -> String? { number < 0 ? nil : words[Int(number)] }

  package subscript(number: Int32, default word: String) -> String { self[number] ?? word }
}
