import Foundation

/// An 8-bit RGB colour.
public struct Color: Sendable, Equatable {
  /// The red component.
  public var red: UInt8
  /// The green component.
  public var green: UInt8
  /// The blue component.
  public var blue: UInt8

  /// Creates a colour from its three components.
  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// The relative luminance as WCAG 2.2 defines it, 0 (black) to 1 (white).
  public var luminance: Float {
    func light(_ part: UInt8) -> Float {
      let value = Float(part) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue)
  }

  /// Black or white: the one that is easier to read on this colour.
  public var contrastingTextColor: Color { luminance > 0.179 ? .black : .white }

  /// Red, green and blue at 255.
  public static let white = Color(red: 255, green: 255, blue: 255)
  /// Red, green and blue at 0.
  public static let black = Color(red: 0, green: 0, blue: 0)
  /// A red that stands out on skin and on film.
  public static let red = Color(red: 230, green: 40, blue: 40)
  /// A green that stands out on skin and on film.
  public static let green = Color(red: 40, green: 200, blue: 80)
  /// A yellow that stands out on skin and on film.
  public static let yellow = Color(red: 250, green: 210, blue: 40)
}

/// Drawing on pictures, to show what was detected. Coordinates are pixels from the top left corner
/// and may be of any size. Parts outside the image are not drawn; a shape with a NaN coordinate is
/// not drawn at all.
extension Image {
  /// Draws the outline of a rectangle. The line is `thickness` pixels wide and lies inside the
  /// rectangle.
  public mutating func drawRectangle(
    left: Float, top: Float, right: Float, bottom: Float, color: Color, thickness: Int = 2
  ) {
    guard let left = Self.pixel(left), let top = Self.pixel(top),
      let right = Self.pixel(right), let bottom = Self.pixel(bottom), left < right, top < bottom
    else { return }
    let edge = max(1, min(thickness, min(right - left, bottom - top)))
    fill(columns: left..<right, rows: top..<top + edge, color)
    fill(columns: left..<right, rows: bottom - edge..<bottom, color)
    fill(columns: left..<left + edge, rows: top..<bottom, color)
    fill(columns: right - edge..<right, rows: top..<bottom, color)
  }

  /// Draws a filled rectangle of whole pixels.
  public mutating func fillRectangle(
    x: Int, y: Int, width: Int, height: Int, color: Color
  ) {
    let limit = 1_000_000
    let (left, top) = (min(max(x, -limit), limit), min(max(y, -limit), limit))
    fill(
      columns: left..<left + min(max(width, 0), 2 * limit),
      rows: top..<top + min(max(height, 0), 2 * limit), color)
  }

  /// Copies another image into this one, with its upper left corner at (x, y).
  public mutating func paste(_ other: Image, x: Int, y: Int) {
    let limit = 1_000_000
    let (left, top) = (min(max(x, -limit), limit), min(max(y, -limit), limit))
    let columns = max(0, left)..<max(0, left, min(width, left + other.width))
    for row in max(0, top)..<max(0, top, min(height, top + other.height)) {
      for column in columns { self[column, row] = other[column - left, row - top] }
    }
  }

  /// Draws a filled circle.
  public mutating func drawDisc(x: Float, y: Float, radius: Float, color: Color) {
    drawLine(fromX: x, fromY: y, toX: x, toY: y, color: color, thickness: 2 * radius)
  }

  /// Draws a straight line with round ends.
  public mutating func drawLine(
    fromX: Float, fromY: Float, toX: Float, toY: Float, color: Color, thickness: Float = 2
  ) {
    let reach = thickness / 2
    guard let left = Self.pixel(min(fromX, toX) - reach - 1),
      let right = Self.pixel(max(fromX, toX) + reach + 1),
      let top = Self.pixel(min(fromY, toY) - reach - 1),
      let bottom = Self.pixel(max(fromY, toY) + reach + 1)
    else { return }
    let (alongX, alongY) = (toX - fromX, toY - fromY)
    let length = alongX * alongX + alongY * alongY
    for row in max(0, top)..<max(0, top, min(height, bottom + 1)) {
      for column in max(0, left)..<max(0, left, min(width, right + 1)) {
        let (x, y) = (Float(column) + 0.5 - fromX, Float(row) + 0.5 - fromY)
        let along = length > 0 ? min(max((x * alongX + y * alongY) / length, 0), 1) : 0
        let (offX, offY) = (x - along * alongX, y - along * alongY)
        if offX * offX + offY * offY <= reach * reach { set(column, row, color) }
      }
    }
  }

  /// Draws a line of text on a filled rectangle whose top left corner is at (x, y). The rectangle
  /// is moved so that it lies inside the image, if it fits. Letters are shown as capitals, and
  /// characters that the font lacks as a box.
  public mutating func drawLabel(
    _ text: String, x: Float, y: Float, scale: Int = 2, color: Color = .white,
    background: Color = .black
  ) {
    guard let left = Self.pixel(x), let top = Self.pixel(y) else { return }
    let scale = min(max(1, scale), 100)
    let size = Self.labelSize(text, scale: scale)
    let originX = max(0, min(left, width - size.width))
    let originY = max(0, min(top, height - size.height))
    fill(
      columns: originX..<originX + size.width, rows: originY..<originY + size.height, background)
    drawText(text, x: originX + scale, y: originY + scale, scale: scale, color: color)
  }

  /// Draws a line of text; the upper left corner of the first letter is at (x, y). Letters have 5 x
  /// 7 cells of `scale` pixels. Letters are shown as capitals, and characters that the font lacks
  /// as a box.
  public mutating func drawText(_ text: String, x: Int, y: Int, scale: Int, color: Color) {
    for (index, character) in text.enumerated() {
      let glyph = BitmapFont.glyph(of: character)
      let start = x + index * (BitmapFont.width + 1) * scale
      for row in 0..<BitmapFont.height {
        for column in 0..<BitmapFont.width where glyph.isSet(column: column, row: row) {
          let (cellX, cellY) = (start + column * scale, y + row * scale)
          fill(columns: cellX..<cellX + scale, rows: cellY..<cellY + scale, color)
        }
      }
    }
  }

  /// The width in pixels of the text that `drawText` draws.
  public static func textWidth(_ text: String, scale: Int) -> Int {
    max(0, text.count * (BitmapFont.width + 1) - 1) * scale
  }

  /// The size in pixels of the rectangle that `drawLabel` fills.
  public static func labelSize(_ text: String, scale: Int = 2) -> (width: Int, height: Int) {
    (
      (1 + text.count * (BitmapFont.width + 1)) * scale, (BitmapFont.height + 2) * scale
    )
  }

  /// The pixel index of a coordinate, limited to ±1,000,000; nil for NaN.
  private static func pixel(_ coordinate: Float) -> Int? {
    coordinate.isNaN ? nil : Int(min(max(coordinate, -1e6), 1e6).rounded())
  }

  private mutating func fill(columns: Range<Int>, rows: Range<Int>, _ color: Color) {
    for row in rows.clamped(to: 0..<height) {
      for column in columns.clamped(to: 0..<width) { set(column, row, color) }
    }
  }

  private mutating func set(_ x: Int, _ y: Int, _ color: Color) {
    self[x, y] = (color.red, color.green, color.blue)
  }
}
