/// An SVG picture that is put together element by element.
struct SVGText {
  private(set) var body = ""

  /// Where a text's reference point is.
  enum Anchor: String {
    case start, middle, end
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String, width: Double = 1
  ) {
    body +=
      "<line x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\""
      + " y2=\"\(Self.number(y2))\" stroke=\"\(color)\" stroke-width=\"\(Self.number(width))\"/>\n"
  }

  mutating func path(
    _ runs: [[(x: Double, y: Double)]], color: String, width: Double = 2, dash: String = ""
  ) {
    let data = runs.map { run in
      run.enumerated().map { index, point in
        "\(index == 0 ? "M" : "L")\(Self.number(point.x)) \(Self.number(point.y))"
      }.joined()
    }.joined()
    guard !data.isEmpty else { return }
    let dashes = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    body +=
      "<path d=\"\(data)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(Self.number(width))\""
      + " stroke-linejoin=\"round\" stroke-linecap=\"butt\"\(dashes)/>\n"
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, width: Double, height: Double, fill: String
  ) {
    body +=
      "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\""
      + " height=\"\(Self.number(height))\" fill=\"\(fill)\"/>\n"
  }

  mutating func circle(
    _ x: Double, _ y: Double, radius: Double, fill: String, stroke: String = "none"
  ) {
    body +=
      "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"\(Self.number(radius))\""
      + " fill=\"\(fill)\" stroke=\"\(stroke)\" stroke-width=\"1.5\"/>\n"
  }

  /// Text with its reference point at (x, y). With a rim, it stays readable where it crosses a line.
  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Double = 12, anchor: Anchor = .start,
    color: String = "#333333", isBold: Bool = false, hasRim: Bool = false
  ) {
    let place = "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\""
    let font =
      " font-size=\"\(Self.number(size))\" text-anchor=\"\(anchor.rawValue)\""
      + (isBold ? " font-weight=\"bold\"" : "")
    let words = ">\(Self.escaped(text))</text>\n"
    if hasRim {
      body +=
        place + font + " fill=\"#ffffff\" stroke=\"#ffffff\" stroke-width=\"4\""
        + " stroke-linejoin=\"round\"" + words
    }
    body += place + font + " fill=\"\(color)\"" + words
  }

  /// The whole picture, on white.
  func document(width: Double, height: Double) -> String {
    let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
    return """
      <svg xmlns="http://www.w3.org/2000/svg" \(size) \
      viewBox="0 0 \(Self.number(width)) \(Self.number(height))" \
      font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
      <rect width="100%" height="100%" fill="#ffffff"/>
      \(body)</svg>

      """
  }

  /// About what the text takes in width.
  static func width(_ text: String, size: Double) -> Double {
    Double(text.count) * size * 0.56
  }

  /// Tenths of a pixel are enough.
  static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return "\(tenths < 0 ? "-" : "")\(whole)\(rest == 0 ? "" : ".\(rest)")"
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // XML has no way to write other control characters.
      case _ where scalar.value < 0x20 && scalar != "\t": result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
