/// A point in a frame, in pixels from the upper left corner.
public struct Point: Sendable, Equatable {
  /// The distance from the left edge of the frame.
  public var x: Float
  /// The distance from the top of the frame.
  public var y: Float

  /// Creates a point at (x, y).
  public init(x: Float, y: Float) {
    self.x = x
    self.y = y
  }

  /// The point after the frame is scaled by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Point {
    Point(x: x * factorX, y: y * factorY)
  }
}

/// An upright rectangle in a frame, in pixels. It may extend beyond the frame.
///
/// ```swift
/// let box = Box(x1: 10, y1: 10, x2: 30, y2: 50)
/// let other = Box(x1: 20, y1: 10, x2: 40, y2: 50)
/// let overlap = box.intersectionOverUnion(with: other)
/// print(box.area, overlap)  // 800.0 0.33333334
/// ```
public struct Box: Sendable, Equatable {
  /// The x coordinate of the left edge.
  public var x1: Float
  /// The y coordinate of the top edge.
  public var y1: Float
  /// The x coordinate of the right edge.
  public var x2: Float
  /// The y coordinate of the bottom edge.
  public var y2: Float

  /// Creates a box from its upper left and lower right corners.
  public init(x1: Float, y1: Float, x2: Float, y2: Float) {
    self.x1 = x1
    self.y1 = y1
    self.x2 = x2
    self.y2 = y2
  }

  /// The width in pixels; 0 if `x2` is below `x1`.
  public var width: Float { max(0, x2 - x1) }
  /// The height in pixels; 0 if `y2` is below `y1`.
  public var height: Float { max(0, y2 - y1) }
  /// The area in square pixels.
  public var area: Float { width * height }
  /// The centre point.
  public var center: Point { Point(x: (x1 + x2) / 2, y: (y1 + y2) / 2) }
  /// The upper left, upper right, lower left and lower right corners.
  var corners: [Point] {
    [Point(x: x1, y: y1), Point(x: x2, y: y1), Point(x: x1, y: y2), Point(x: x2, y: y2)]
  }
  /// Whether no edge is infinite or NaN.
  public var isFinite: Bool { x1.isFinite && y1.isFinite && x2.isFinite && y2.isFinite }

  /// Intersection over union (IoU): 1 for equal boxes that are not empty, 0 for boxes that do not
  /// overlap.
  public func intersectionOverUnion(with other: Box) -> Float {
    let shared = Box(
      x1: max(x1, other.x1), y1: max(y1, other.y1), x2: min(x2, other.x2), y2: min(y2, other.y2)
    ).area
    let union = area + other.area - shared
    return union > 0 ? shared / union : 0
  }

  /// The box after the frame is scaled by these factors.
  public func scaled(x factorX: Float, y factorY: Float) -> Box {
    Box(x1: x1 * factorX, y1: y1 * factorY, x2: x2 * factorX, y2: y2 * factorY)
  }

  /// The part of the box inside a frame of `width` by `height` pixels. A box outside of the frame
  /// becomes an empty box on the frame's edge.
  public func clipped(width: Int, height: Int) -> Box {
    let right = Float(width)
    let bottom = Float(height)
    return Box(
      x1: min(max(x1, 0), right), y1: min(max(y1, 0), bottom),
      x2: min(max(x2, 0), right), y2: min(max(y2, 0), bottom))
  }

  /// The square of whole pixels around the box's centre from which a face crop is cut.
  ///
  /// Its side is the box's longer side plus `margin` times that on each side, from 1 to 16384
  /// pixels. It may extend beyond the frame; the caller must pad it.
  package func squareCrop(margin: Float) -> PixelRectangle {
    precondition(margin > -0.5, "squareCrop: margin \(margin) leaves an empty crop")
    let wanted = PixelRectangle.wholePixels(max(width, height) * (1 + 2 * margin))
    let side = min(max(1, wanted), 1 << 14)
    let half = Float(side) / 2
    return PixelRectangle(
      x: PixelRectangle.wholePixels(center.x - half),
      y: PixelRectangle.wholePixels(center.y - half), width: side, height: side)
  }
}

/// A rectangle of whole pixels. It may extend beyond the frame.
package struct PixelRectangle: Sendable, Equatable {
  /// The leftmost column.
  package var x: Int
  /// The uppermost row.
  package var y: Int
  /// The number of columns.
  package var width: Int
  /// The number of rows.
  package var height: Int

  /// Creates a rectangle whose upper left pixel is (x, y).
  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The nearest integer, limited to about a million in either direction; 0 for NaN.
  static func wholePixels(_ value: Float) -> Int {
    let limit = Float(1 << 20)
    guard value > -limit else { return value.isNaN ? 0 : -(1 << 20) }
    return value < limit ? Int(value.rounded()) : 1 << 20
  }
}
