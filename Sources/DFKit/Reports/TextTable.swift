/// A table for terminals: columns as wide as their longest cell, two spaces between them.
public struct TextTable: Sendable {
  /// How a column's cells stand.
  public enum Alignment: Sendable {
    /// Text.
    case left
    /// Numbers.
    case right
  }

  /// A column.
  public struct Column: Sendable {
    /// What stands above it.
    public var title: String
    /// How its cells stand.
    public var alignment: Alignment

    /// A column.
    public init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  /// The columns.
  public let columns: [Column]
  /// The rows so far.
  public private(set) var rows: [[String]] = []

  /// A table without rows.
  public init(_ columns: [Column]) {
    self.columns = columns
  }

  /// Adds a row, one cell a column. Control characters, which could steer the terminal, are replaced.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "TextTable: \(cells.count) cells")
    rows.append(cells.map(Self.printable))
  }

  /// The lines, title line first, no trailing spaces.
  public var text: String { text(width: nil) }

  /// The lines, title line first, no trailing spaces. Where they would be wider than `width` columns of
  /// a terminal, the first column (files, as a rule) is shortened; the last is left to wrap.
  public func text(width: Int?) -> String {
    var lines = [columns.map(\.title)] + rows
    var widths = columns.indices.map { column in lines.map { $0[column].columns }.max() ?? 0 }
    if let width, columns.count > 1 {
      let others = widths.dropFirst().dropLast().reduce(0, +) + min(widths[columns.count - 1], 20)
      widths[0] = min(widths[0], max(24, width - others - 2 * (columns.count - 1)))
      for row in lines.indices { lines[row][0] = lines[row][0].withoutMiddle(columns: widths[0]) }
    }
    return lines.map { cells in
      let line = cells.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - cells[column].columns)
        return columns[column].alignment == .left
          ? cells[column] + padding : padding + cells[column]
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// The text with question marks for what could steer a terminal: control characters and those that
  /// turn the direction of writing.
  public static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          let turns = scalar.properties.isBidiControl
          return turns || scalar.properties.generalCategory == .control ? "?" : scalar
        }))
  }
}

extension String {
  /// Columns that the text takes on a terminal.
  var columns: Int { reduce(0) { $0 + $1.columns } }

  /// The text with a mark for what is left out in the middle, so that it takes at most `limit` columns.
  func withoutMiddle(columns limit: Int) -> String {
    guard columns > limit else { return self }
    // The end of a path tells more than its beginning.
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
  /// Columns that the character takes on a terminal: two for East Asian ones and emoji.
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
  /// The number with that many decimals, as people read it.
  func fixed(_ decimals: Int) -> String {
    Double(self).fixed(decimals)
  }
}

extension Double {
  /// The number with that many decimals, as people read it.
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

  /// Seconds as people read them: minutes and seconds, with hours where there are any.
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
