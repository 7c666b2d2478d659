extension Drawing {
  /// The picture as the text of an SVG file, on a white background.
  package var svg: String {
    let (width, height) = (Self.number(size.width), Self.number(size.height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \
      \(width) \(height)" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif">
      <rect width="100%" height="100%" fill="#ffffff"/>
      \(elements.map(Self.svg).joined())</svg>

      """
  }

  private static func svg(_ element: Element) -> String {
    switch element {
    case .path(let runs, let color, let width, let dash):
      let data = runs.map { run in
        run.enumerated().map { index, point in
          "\(index == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
        }.joined()
      }.joined()
      let dashes =
        dash.isEmpty ? "" : " stroke-dasharray=\"\(dash.map(number).joined(separator: " "))\""
      return
        "<path d=\"\(data)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(number(width))\""
        + " stroke-linejoin=\"round\" stroke-linecap=\"butt\"\(dashes)/>\n"
    case .rectangle(let x, let y, let width, let height, let fill):
      return
        "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\""
        + " height=\"\(number(height))\" fill=\"\(fill)\"/>\n"
    case .circle(let place, let radius, let fill, let stroke):
      return
        "<circle cx=\"\(number(place.x))\" cy=\"\(number(place.y))\" r=\"\(number(radius))\""
        + " fill=\"\(fill)\" stroke=\"\(stroke ?? "none")\" stroke-width=\"1.5\"/>\n"
    case .text(let text, let place, let size, let anchor, let color, let isBold, let hasRim):
      let start = "<text x=\"\(number(place.x))\" y=\"\(number(place.y))\""
      let font =
        " font-size=\"\(number(size))\" text-anchor=\"\(anchor.rawValue)\""
        + (isBold ? " font-weight=\"bold\"" : "")
      let words = ">\(escaped(text))</text>\n"
      let rim =
        start + font + " fill=\"#ffffff\" stroke=\"#ffffff\" stroke-width=\"4\""
        + " stroke-linejoin=\"round\"" + words
      return (hasRim ? rim : "") + start + font + " fill=\"\(color)\"" + words
    }
  }

  /// The number rounded to tenths of a pixel, which is precise enough; "0" if it is not finite or
  /// at least 1e9.
  package static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return "\(tenths < 0 ? "-" : "")\(whole)\(rest == 0 ? "" : ".\(rest)")"
  }

  /// The text with XML's special characters escaped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // XML cannot represent other control characters.
      case _ where scalar.value < 0x20 && scalar != "\t": result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
