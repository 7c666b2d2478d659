import MediaIO

/// A table for terminals. Each column is as wide as its widest cell, with two spaces between
/// columns.
package struct TextTable: Sendable {
  /// The alignment of a column's cells.
  package enum Alignment: Sendable {
    /// For text.
    case left
    /// For numbers.
    case right
  }

  package struct Column: Sendable {
    /// The text of the header.
    package var title: String
    package var alignment: Alignment

    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  package let columns: [Column]
  /// The rows added so far.
  package private(set) var rows: [[String]] = []

  package init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row with one cell for each column. Control characters, which could control the
  /// terminal, are replaced by question marks.
  package mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "TextTable: \(cells.count) cells")
    rows.append(cells.map(Self.printable))
  }

  /// The width of the terminal in columns; nil: no limit, as in library use. Code that runs inside
  /// `$terminalWidth.withValue` makes its tables and notes no wider than this.
  @TaskLocal package static var terminalWidth: Int?

  /// The table as text with the width `terminalWidth`: the header first, no trailing spaces.
  package var text: String { text(width: Self.terminalWidth) }

  /// The table as text: the header first, no trailing spaces.
  ///
  /// A table wider than `width` terminal columns is narrowed in three steps. The cells of the first
  /// column, often file names, are shortened in the middle. The last column, if it is left-aligned,
  /// is wrapped. Columns that still do not fit follow as another table that repeats the first
  /// column.
  package func text(width: Int?) -> String {
    var lines = [columns.map(\.title)] + rows
    guard let width, columns.count > 1 else { return Self.joined(lines, columns) }
    var widths = Self.widths(lines)
    let last = columns.count - 1
    let others = widths.dropFirst().dropLast().reduce(0, +) + min(widths[last], Self.narrowest)
    let room = max(Self.narrowest, width - others - 2 * last)
    for row in lines.indices {
      // Names without a slash are not paths. People copy them, so they keep at least 40 columns.
      let limit = lines[row][0].contains("/") ? room : max(room, 40)
      lines[row][0] = lines[row][0].withoutMiddle(columns: limit)
    }
    widths[0] = Self.widths(lines)[0]
    return Self.blocks(widths, width).map { block in
      let place = block.dropLast().reduce(0) { $0 + widths[$1] + 2 }
      let room = max(Self.narrowest, width - place)
      let cells = lines.flatMap { line -> [[String]] in
        let own = block.map { line[$0] }
        guard block.last == last, widths[last] > room, columns[last].alignment == .left else {
          return [own]
        }
        let blank = [String](repeating: "", count: block.count - 1)
        return TextTable.folded(own[block.count - 1], width: room).enumerated().map { part, text in
          (part == 0 ? Array(own.dropLast()) : blank) + [text]
        }
      }
      return Self.joined(cells, block.map { columns[$0] })
    }.joined(separator: "\n\n")
  }

  /// The smallest width of the first column and of a wrapped last column.
  private static let narrowest = 20

  /// Groups of columns that fit side by side in `width`. Each group starts with the first column.
  private static func blocks(_ widths: [Int], _ width: Int) -> [[Int]] {
    var blocks: [[Int]] = []
    var block = [0]
    var used = widths[0]
    for column in widths.indices.dropFirst() {
      let least = column == widths.count - 1 ? min(widths[column], narrowest) : widths[column]
      if block.count > 1, used + 2 + least > width {
        blocks.append(block)
        block = [0]
        used = widths[0]
      }
      block.append(column)
      used += 2 + widths[column]
    }
    return blocks + [block]
  }

  private static func widths(_ lines: [[String]]) -> [Int] {
    (lines.first ?? []).indices.map { column in lines.map { $0[column].columns }.max() ?? 0 }
  }

  private static func joined(_ lines: [[String]], _ columns: [Column]) -> String {
    let widths = widths(lines)
    return lines.map { cells in
      let line = cells.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - cells[column].columns)
        return columns[column].alignment == .left
          ? cells[column] + padding : padding + cells[column]
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// Wraps the lines of a text at spaces to `width` columns. Continued lines keep the indentation
  /// of their first line. Words longer than a line are not broken.
  package static func folded(lines text: String, width: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      let line = String(line)
      guard line.columns > width else { return line }
      let indent = String(line.prefix { $0 == " " })
      let room = max(narrowest, width - indent.count)
      return folded(String(line.dropFirst(indent.count)), width: room).map { indent + $0 }
        .joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// Wraps one line at spaces. Words longer than `width` are not broken.
  private static func folded(_ line: String, width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    for word in line.split(separator: " ", omittingEmptySubsequences: false) {
      let longer = current.isEmpty ? String(word) : "\(current) \(word)"
      if longer.columns <= width || current.isEmpty {
        current = longer
      } else {
        lines.append(current)
        current = String(word)
      }
    }
    return lines + [current]
  }

  /// The text with question marks in place of characters that could control a terminal: control
  /// characters and those that change the writing direction. Bytes of a file name that are not
  /// UTF-8 become U+FFFD.
  package static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        FilePath.shown(text).unicodeScalars.map { scalar in
          let turns = scalar.properties.isBidiControl
          return turns || scalar.properties.generalCategory == .control ? "?" : scalar
        }))
  }
}

extension String {
  /// The number of terminal columns that the text takes.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// The text, shortened to at most `limit` columns by an ellipsis in the middle.
  func withoutMiddle(columns limit: Int) -> String {
    guard columns > limit else { return self }
    // Keep more of the end: it says more about a path than the beginning.
    let head = prefix(columns: (limit - 1) / 3)
    let tail = String(reversed()).prefix(columns: limit - 1 - head.columns)
    return head + "…" + String(tail.reversed())
  }

  private func prefix(columns limit: Int) -> String {
    var rest = limit
    return String(
      prefix { character in
        rest -= character.columns
        return rest >= 0
      })
  }
}

extension Character {
  /// The number of terminal columns that the character takes: two for East Asian characters and
  /// emoji.
  fileprivate var columns: Int {
    guard let scalar = unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
      return 2
    default:
      return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }
}

extension Float {
  /// The number rounded to this many decimals.
  func fixed(_ decimals: Int) -> String {
    Double(self).fixed(decimals)
  }
}

extension Double {
  /// The number rounded to this many decimals. Very large numbers, infinity and NaN are written as
  /// Swift prints them.
  func fixed(_ decimals: Int) -> String {
    guard isFinite else { return "\(self)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(self) * scale).rounded()
    guard scaled < 1e15 else { return "\(self)" }
    let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: Int(scale))
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(whole)" }
    let digits = String(rest)
    return "\(sign)\(whole).\(String(repeating: "0", count: decimals - digits.count))\(digits)"
  }

  /// A time in seconds as minutes and seconds, with hours from one hour on, as `1:05.2`. Two
  /// decimals if `decimals` is 2, otherwise one; `?` if the time is not finite or 1e9 and more.
  func clock(decimals: Int = 1) -> String {
    guard isFinite, abs(self) < 1e9 else { return "?" }
    let scale = decimals == 2 ? 100 : 10
    let parts = Int((abs(self) * Double(scale)).rounded())
    let (seconds, part) = parts.quotientAndRemainder(dividingBy: scale)
    func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let tail = "\(padded(seconds % 60)).\(decimals == 2 ? padded(part) : "\(part)")"
    let sign = self < 0 && parts > 0 ? "-" : ""
    let minutes = seconds / 60
    return minutes < 60
      ? "\(sign)\(minutes):\(tail)" : "\(sign)\(minutes / 60):\(padded(minutes % 60)):\(tail)"
  }
}
