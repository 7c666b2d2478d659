import DeepfakeCore

extension Drawing {
  /// Draws the picture as pixels on white, where SVG cannot be shown. Text is in capitals of a
  /// plain font.
  ///
  /// - Parameter scale: The number of pixels per unit.
  package func image(scale: Int = 2) -> Image {
    // Drawn at twice the size and averaged, which smooths slanted lines.
    var canvas = Canvas(size, scale: Double(2 * scale))
    for element in elements { canvas.draw(element) }
    return canvas.image.resized(
      width: max(1, canvas.image.width / 2), height: max(1, canvas.image.height / 2), method: .area)
  }
}

/// The image on which a drawing's elements are drawn.
private struct Canvas {
  private(set) var image: Image
  private let scale: Double

  init(_ size: (width: Double, height: Double), scale: Double) {
    self.scale = scale
    let (width, height) = (max(2, Int(size.width * scale)), max(2, Int(size.height * scale)))
    image = Image(
      width: width, height: height, pixels: [UInt8](repeating: 255, count: 3 * width * height))
  }

  mutating func draw(_ element: Drawing.Element) {
    switch element {
    case .path(let runs, let color, let width, let dash):
      for run in runs { draw(run, color, width, dash) }
    case .rectangle(let x, let y, let width, let height, let fill):
      let (left, top) = (Int((x * scale).rounded()), Int((y * scale).rounded()))
      image.fillRectangle(
        x: left, y: top, width: Int(((x + width) * scale).rounded()) - left,
        height: Int(((y + height) * scale).rounded()) - top, color: Color(hex: fill))
    case .circle(let place, let radius, let fill, let stroke):
      let (x, y) = (Float(place.x * scale), Float(place.y * scale))
      if let stroke {
        image.drawDisc(
          x: x, y: y, radius: Float((radius + 0.75) * scale), color: Color(hex: stroke))
      }
      let inner = stroke == nil ? radius : radius - 0.75
      image.drawDisc(x: x, y: y, radius: Float(inner * scale), color: Color(hex: fill))
    case .text(let text, let place, let size, let anchor, let color, _, _):
      draw(text, place, size, anchor, color)
    }
  }

  /// Draws straight lines from point to point. With dashes, `dash` holds the lengths that are drawn
  /// and skipped in turn.
  private mutating func draw(
    _ run: [Drawing.Place], _ color: String, _ width: Double, _ dash: [Double]
  ) {
    let color = Color(hex: color)
    var (left, turn) = (dash.first ?? .infinity, 0)
    for (from, to) in zip(run, run.dropFirst()) {
      let (alongX, alongY) = (to.x - from.x, to.y - from.y)
      let length = (alongX * alongX + alongY * alongY).squareRoot()
      guard length > 0, length.isFinite else { continue }
      var done = 0.0
      while done < length {
        let step = min(left, length - done)
        if turn % 2 == 0 {
          let (begin, end) = (done / length, (done + step) / length)
          image.drawLine(
            fromX: Float((from.x + begin * alongX) * scale),
            fromY: Float((from.y + begin * alongY) * scale),
            toX: Float((from.x + end * alongX) * scale),
            toY: Float((from.y + end * alongY) * scale),
            color: color, thickness: Float(width * scale))
        }
        done += step
        left -= step
        if left <= 0 {
          turn += 1
          left = dash[turn % dash.count]
        }
      }
    }
  }

  /// Draws text with capitals about as high as in an ordinary font of that size.
  private mutating func draw(
    _ text: String, _ place: Drawing.Place, _ size: Double, _ anchor: Drawing.Anchor,
    _ color: String
  ) {
    let cell = max(1, Int((size * scale * 0.7 / 7).rounded()))
    let width = Double(Image.textWidth(text, scale: cell))
    let left =
      switch anchor {
      case .start: place.x * scale
      case .middle: place.x * scale - width / 2
      case .end: place.x * scale - width
      }
    image.drawText(
      text, x: Int(left.rounded()), y: Int((place.y * scale).rounded()) - 7 * cell, scale: cell,
      color: Color(hex: color))
  }
}

extension Color {
  /// Parses a colour in the form `#RRGGBB`; black for any other text.
  init(hex: String) {
    let digits = hex.hasPrefix("#") ? UInt32(hex.dropFirst(), radix: 16) ?? 0 : 0
    self.init(
      red: UInt8(digits >> 16 & 255), green: UInt8(digits >> 8 & 255), blue: UInt8(digits & 255))
  }
}
