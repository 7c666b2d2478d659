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
  public var text: String {
    let lines = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      let line = cells.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - cells[column].count)
        return columns[column].alignment == .left
          ? cells[column] + padding : padding + cells[column]
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
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
}
