/// A place in a frame, in pixels from its upper left corner.
public struct Point: Sendable, Equatable {
  /// Pixels from the left.
  public var x: Float
  /// Pixels from the top.
  public var y: Float

  /// A point at (x, y).
  public init(x: Float, y: Float) {
    self.x = x
    self.y = y
  }

  /// The point in a frame whose axes are stretched by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Point {
    Point(x: x * factorX, y: y * factorY)
  }
}

/// An upright rectangle in a frame, in pixels; it may reach beyond the frame.
///
/// ```swift
/// let box = Box(x1: 10, y1: 10, x2: 30, y2: 50)
/// let other = Box(x1: 20, y1: 10, x2: 40, y2: 50)
/// let overlap = box.intersectionOverUnion(with: other)
/// print(box.area, overlap)  // 800.0 0.33333334
/// ```
public struct Box: Sendable, Equatable {
  /// The left edge.
  public var x1: Float
  /// The upper edge.
  public var y1: Float
  /// The right edge.
  public var x2: Float
  /// The lower edge.
  public var y2: Float

  /// A box between two corners.
  public init(x1: Float, y1: Float, x2: Float, y2: Float) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
  }

  /// Pixels across; 0 for a box turned inside out.
  public var width: Float { max(0, x2 - x1) }
  /// Pixels down; 0 for a box turned inside out.
  public var height: Float { max(0, y2 - y1) }
  /// Square pixels.
  public var area: Float { width * height }
  /// The middle.
  public var center: Point { Point(x: (x1 + x2) / 2, y: (y1 + y2) / 2) }
  /// Upper left, upper right, lower left and lower right.
  var corners: [Point] {
    [Point(x: x1, y: y1), Point(x: x2, y: y1), Point(x: x1, y: y2), Point(x: x2, y: y2)]
  }
  /// Whether no edge is infinite or NaN.
  public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }

  /// Intersection over union: 1 for equal boxes that are not empty, 0 for boxes that do not meet.
  public func intersectionOverUnion(with other: Box) -> Float {
    let shared = Box(
      x1: max(x1, other.x1), y1: max(y1, other.y1), x2: min(x2, other.x2), y2: min(y2, other.y2)
    ).area
    let union = area + other.area - shared
    return union > 0 ? shared / union : 0
  }

  /// The box in a frame whose axes are stretched by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Box {
    Box(x1: x1 * factorX, y1: y1 * factorY, x2: x2 * factorX, y2: y2 * factorY)
  }

  /// The part of the box inside a frame of `width` by `height` pixels; empty at the frame's edge
  /// for a box that lies outside.
  public func clipped(width: Int, height: Int) -> Box {
    let right = Float(width)
    let bottom = Float(height)
    return Box(
      x1: min(max(x1, 0), right), y1: min(max(y1, 0), bottom),
      x2: min(max(x2, 0), right), y2: min(max(y2, 0), bottom))
  }

  /// The square of whole pixels around the box's centre that a face crop is cut from.
  ///
  /// Its side is the box's longer side and `margin` times that on each side, from 1 to 16384
  /// pixels. It may reach beyond the frame: whoever cuts it pads.
  package func squareCrop(margin: Float) -> PixelRectangle {
    precondition(margin > -0.5, "squareCrop: margin \(margin) leaves nothing")
    let wanted = PixelRectangle.wholePixels(max(width, height) * (1 + 2 * margin))
    let side = min(max(1, wanted), 1 << 14)
    let half = Float(side) / 2
    return PixelRectangle(
      x: PixelRectangle.wholePixels(center.x - half),
      y: PixelRectangle.wholePixels(center.y - half), width: side, height: side)
  }
}

/// A rectangle of whole pixels; it may reach beyond the frame.
package struct PixelRectangle: Sendable, Equatable {
  /// The leftmost column.
  package var x: Int
  /// The uppermost row.
  package var y: Int
  /// Columns.
  package var width: Int
  /// Rows.
  package var height: Int

  /// A rectangle with its upper left pixel at (x, y).
  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The nearest integer, kept within a million pixels of 0; 0 for NaN.
  static func wholePixels(_ value: Float) -> Int {
    let limit = Float(1 << 20)
    guard value > -limit else { return value.isNaN ? 0 : -(1 << 20) }
    return value < limit ? Int(value.rounded()) : 1 << 20
  }
}
