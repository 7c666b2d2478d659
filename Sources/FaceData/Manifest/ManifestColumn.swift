import DeepfakeCore
import FaceDetect
import Foundation
import Measures

/// A column of a manifest.
///
/// `all` is the only declaration of the columns. Reading, writing, messages and the list in
/// `Docs/Formats.md` use it.
package struct ManifestColumn: Sendable {
  /// The name in the header.
  package let name: String
  /// Whether a manifest must have the column.
  package let isRequired: Bool
  /// A description of the values, used in `Docs/Formats.md`.
  package let help: String
  /// Whether the column comes from a teacher (`dfkit pseudo-label`). Extracted faces have no such
  /// column, so that folders of earlier versions can be continued.
  package let isOfTeacher: Bool
  let content: Content

  /// A property of a sample.
  typealias Field<Value> = WritableKeyPath<FaceSample, Value> & Sendable
  /// The property of a `SampleTable`'s row that stores it.
  typealias Place<Value> = WritableKeyPath<SampleTable.Row, Value> & Sendable

  /// The type of a column's fields, and where they are stored.
  enum Content: Sendable {
    case path
    case label
    /// The path of another picture.
    case file(Field<URL?>, Place<Int32>)
    /// Text that many samples have in common.
    case word(Field<String?>, Place<Int32>)
    /// A whole number of at least `from`.
    case count(Field<Int?>, Place<Int32>, from: Int32)
    /// A finite number, and its name in messages.
    case double(Field<Double?>, Place<Double>, String)
    /// A finite number, its name in messages, and its limits if there are any.
    case float(Field<Float?>, Place<Float>, String, in: ClosedRange<Float>? = nil)
    /// Four numbers: the coordinates of two corners.
    case box(Field<Box?>, Place<Int32>)
    /// Ten numbers: x and y of five points.
    case points(Field<[Point]?>, Place<Int32>)
  }

  private init(
    _ name: String, _ content: Content, isRequired: Bool = false, isOfTeacher: Bool = false,
    _ help: String
  ) {
    self.name = name
    self.content = content
    self.isRequired = isRequired
    self.isOfTeacher = isOfTeacher
    self.help = help
  }

  /// All columns, in the order of written files.
  package static let all: [ManifestColumn] = [
    ManifestColumn(
      "path", .path, isRequired: true,
      "the path of a JPEG or PNG, relative to the file's folder. In a folder's `manifest.csv`, it"
        + " must stay in the folder; a CSV file that is named itself may list pictures anywhere."
        + " Each picture is in one line"),
    ManifestColumn(
      "label", .label, isRequired: true, "`REAL` or `FAKE` in any case, or 0 or 1"),
    ManifestColumn(
      "video", .word(\.video, \.video),
      "the name of the video that the crop was cut from, the same for all its crops"),
    ManifestColumn(
      "original", .word(\.original, \.original), "the `video` that a fake was made from"),
    ManifestColumn("person", .word(\.person, \.person), "the name of the person seen"),
    ManifestColumn(
      "split", .word(\.split, \.split),
      "`train`, `validation` (or `val`, `valid`, `dev`), `test` or `unused`; training ignores the"
        + " last two. In all lines or none"),
    ManifestColumn(
      "fold", .count(\.fold, \.fold, from: 1),
      "the number of the fold that the crop is held out in, from 1; `train --fold` asks for one"),
    ManifestColumn(
      "group", .word(\.group, \.group),
      "the name of the group of samples that belong together by their pictures; `dfkit split`"
        + " writes it"),
    ManifestColumn(
      "origin", .word(\.origin, \.origin), "the collection that the crop is from"),
    ManifestColumn(
      "frame", .count(\.frame, \.frame, from: 0), "the number of the video's frame, from 0"),
    ManifestColumn(
      "time", .double(\.time, \.time, "number of seconds"), "seconds into the video"),
    ManifestColumn(
      "box", .box(\.box, \.box),
      "four numbers with spaces between them: left, upper, right and lower edge of the"
        + " detected face, in pixels of the frame"),
    ManifestColumn(
      "landmarks", .points(\.landmarks, \.landmarks),
      "ten numbers with spaces between them: x and y of the left eye (as seen), right eye, nose,"
        + " left and right corner of the mouth, in pixels of the crop"),
    ManifestColumn(
      "score", .float(\.score, \.score, "number"), "the detection score, 0 to 1"),
    ManifestColumn(
      "later", .file(\.later, \.later),
      "the path of the later crop, like `path`: the same box cut out of a later frame, for networks"
        + " with a difference; `dfkit extract --difference` writes it"),
    ManifestColumn(
      "source", .word(\.source, \.source), "the SHA-256 of the video's file"),
    ManifestColumn(
      "probability", .float(\.probability, \.probability, "number from 0 to 1", in: 0...1),
      isOfTeacher: true,
      "the probability of fake, 0 to 1, that a teacher gave the crop; `dfkit pseudo-label` writes"
        + " it. Training uses it in place of the label, and nothing is validated on such a crop"),
    ManifestColumn(
      "teacher", .word(\.teacher, \.teacher), isOfTeacher: true,
      "the recipe or the weights that gave `probability`, and the beginning of their SHA-256"),
  ]

  /// The column of a sample's property, such as `\.landmarks`.
  static func of(_ field: PartialKeyPath<FaceSample>) -> ManifestColumn {
    guard let column = all.first(where: { $0.field == field }) else {
      preconditionFailure("ManifestColumn: no column holds \(field)")
    }
    return column
  }

  /// The column with a name, in any case and with any spaces; nil if there is none.
  static func named(_ title: String) -> ManifestColumn? {
    let name = title.filter { !$0.isWhitespace }.lowercased()
    return all.first { $0.name == name }
  }

  /// Whether the fields are paths relative to the manifest's folder.
  var isPath: Bool {
    switch content {
    case .path, .file: true
    default: false
    }
  }

  private var field: PartialKeyPath<FaceSample> {
    switch content {
    case .path: \.path
    case .label: \.label
    case .file(let field, _): field
    case .word(let field, _): field
    case .count(let field, _, _): field
    case .double(let field, _, _): field
    case .float(let field, _, _, _): field
    case .box(let field, _): field
    case .points(let field, _): field
    }
  }
}

extension ManifestColumn {
  /// The text of a sample's field; empty if unknown. Numbers have the fewest digits that read back
  /// as the same value.
  func text(_ sample: FaceSample) -> String {
    func text<Value>(_ value: Value?) -> String { value.map { "\($0)" } ?? "" }
    func text(numbers: [Float]?) -> String {
      numbers?.map { "\($0)" }.joined(separator: " ") ?? ""
    }
    switch content {
    case .path: return sample.path
    case .label: return sample.label.word
    case .file(let field, _): return sample[keyPath: field].map(sample.shownPath) ?? ""
    case .word(let field, _): return sample[keyPath: field] ?? ""
    case .count(let field, _, _): return text(sample[keyPath: field])
    case .double(let field, _, _): return text(sample[keyPath: field])
    case .float(let field, _, _, _): return text(sample[keyPath: field])
    case .box(let field, _): return text(numbers: sample[keyPath: field]?.numbers)
    case .points(let field, _): return text(numbers: sample[keyPath: field]?.numbers)
    }
  }

  /// Copies the column's value from a table's row into a sample. The path and the label are set
  /// already.
  func read(_ row: SampleTable.Row, of table: SampleTable, into sample: inout FaceSample) {
    switch content {
    case .path, .label: break
    case .file(let field, let place): sample[keyPath: field] = table.url(row, place)
    case .word(let field, let place): sample[keyPath: field] = table.words[row[keyPath: place]]
    case .count(let field, let place, _):
      let number = row[keyPath: place]
      if number >= 0 { sample[keyPath: field] = Int(number) }
    case .double(let field, let place, _):
      let number = row[keyPath: place]
      if !number.isNaN { sample[keyPath: field] = number }
    case .float(let field, let place, _, _):
      let number = row[keyPath: place]
      if !number.isNaN { sample[keyPath: field] = number }
    case .box(let field, let place): sample[keyPath: field] = table.box(at: row[keyPath: place])
    case .points(let field, let place):
      sample[keyPath: field] = table.points(at: row[keyPath: place])
    }
  }

  /// Copies the column's value from a sample into a table's row. The path and the label are set
  /// already.
  func write(_ sample: FaceSample, into row: inout SampleTable.Row, of table: inout SampleTable) {
    switch content {
    case .path, .label: break
    case .file(let field, let place):
      if let url = sample[keyPath: field] {
        row[keyPath: place] = table.words.number(of: sample.shownPath(of: url))
      }
    case .word(let field, let place):
      if let word = sample[keyPath: field] { row[keyPath: place] = table.words.number(of: word) }
    case .count(let field, let place, _):
      if let number = sample[keyPath: field] { row[keyPath: place] = Int32(clamping: number) }
    case .double(let field, let place, _):
      if let number = sample[keyPath: field] { row[keyPath: place] = number }
    case .float(let field, let place, _, _):
      if let number = sample[keyPath: field] { row[keyPath: place] = number }
    case .box(let field, let place):
      if let box = sample[keyPath: field] { row[keyPath: place] = table.add(numbers: box.numbers) }
    case .points(let field, let place):
      guard let points = sample[keyPath: field] else { break }
      precondition(points.count == 5, "FaceManifest: \(points.count) \(name), expected 5")
      row[keyPath: place] = table.add(numbers: points.numbers)
    }
  }

  /// Changes a row of `other` into one of `table`: copies its words and numbers to `table`.
  func move(
    _ row: inout SampleTable.Row, of other: SampleTable, into table: inout SampleTable
  ) {
    switch content {
    case .path, .label, .count, .double, .float: break
    case .word(_, let place), .file(_, let place):
      if let word = other.words[row[keyPath: place]] {
        row[keyPath: place] = table.words.number(of: word)
      }
    case .box(_, let place):
      if let box = other.box(at: row[keyPath: place]) {
        row[keyPath: place] = table.add(numbers: box.numbers)
      }
    case .points(_, let place):
      if let points = other.points(at: row[keyPath: place]) {
        row[keyPath: place] = table.add(numbers: points.numbers)
      }
    }
  }
}

extension FaceSample {
  /// The path of another picture as a manifest states it: relative to the folder that `path` is
  /// relative to, or else absolute.
  fileprivate func shownPath(of url: URL) -> String {
    let own = file.path
    let folder = own.hasSuffix(path) && !path.isEmpty ? own.dropLast(path.count) : "/"
    return folder.count > 1 && url.path.hasPrefix(folder)
      ? String(url.path.dropFirst(folder.count)) : url.path
  }
}
