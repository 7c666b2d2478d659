import DeepfakeCore
import FaceDetect
import Foundation

/// A scene that faces and shapes are painted on.
struct SceneCanvas: Sendable {
  let width: Int
  let height: Int
  private var pixels: [UInt8]

  /// A canvas that shows a picture.
  init(_ image: Image) {
    width = image.width
    height = image.height
    pixels = image.pixels
  }

  /// The current picture.
  var image: Image { Image(width: width, height: height, pixels: pixels) }

  /// The canvas's bounds.
  var frame: Box { Box(x1: 0, y1: 0, x2: Float(width), y2: Float(height)) }

  /// Paints a shape in one colour.
  mutating func fill(_ shape: SceneShape, _ color: SIMD3<Float>, opacity: Float = 1) {
    paint(in: shape.box) { x, y, _ in
      (color, shape.coverage(Float(x) + 0.5, Float(y) + 0.5) * opacity)
    }
  }

  /// Paints a shape with a picture as texture. The picture's upper left pixel is at the upper left
  /// corner of the shape's box.
  mutating func fill(_ shape: SceneShape, _ picture: Image, opacity: Float = 1) {
    let (left, top) = (Int(shape.box.x1.rounded(.down)), Int(shape.box.y1.rounded(.down)))
    picture.pixels.withUnsafeBufferPointer { source in
      paint(in: shape.box) { x, y, _ in
        let column = min(max(x - left, 0), picture.width - 1)
        let row = min(max(y - top, 0), picture.height - 1)
        let place = 3 * (row * picture.width + column)
        return (
          SIMD3(Float(source[place]), Float(source[place + 1]), Float(source[place + 2])),
          shape.coverage(Float(x) + 0.5, Float(y) + 0.5) * opacity
        )
      }
    }
  }

  /// Pastes a picture.
  ///
  /// - Parameters:
  ///   - map: Maps points of the picture to points of the scene, without shear.
  ///   - shape: The part of the picture to paste, in pixels of the picture.
  ///   - tone: A change of the picture's light; nil: none.
  /// - Returns: The picture's box in the scene; nil if it is outside the scene.
  @discardableResult
  mutating func paste(
    _ picture: Image, by map: AffineMap, _ shape: SceneShape, tone: SceneTone? = nil
  ) -> Box? {
    let whole = Box(x1: 0, y1: 0, x2: Float(picture.width), y2: Float(picture.height))
    let area = shape.box.clipped(to: whole).corners(movedBy: map).clipped(to: frame)
    let (left, top) = (Int(area.x1.rounded(.down)), Int(area.y1.rounded(.down)))
    let (right, bottom) = (Int(area.x2.rounded(.up)), Int(area.y2.rounded(.up)))
    guard right > left, bottom > top else { return nil }
    // Coordinates are corners of pixels here, but centres of pixels in `warped`.
    var (source, back) = (picture, map)
    let scale = Float(abs(map.determinant).squareRoot())
    if scale < 0.5 {
      // Shrinks by area first: a warp to a much smaller size takes many samples.
      let size = (
        max(1, Int((Float(picture.width) * scale * 1.5).rounded(.up))),
        max(1, Int((Float(picture.height) * scale * 1.5).rounded(.up)))
      )
      source = picture.resized(width: size.0, height: size.1, method: .area)
      back = AffineMap(
        a: Double(picture.width) / Double(size.0), e: Double(picture.height) / Double(size.1)
      ).followed(by: map)
    }
    let shifted = AffineMap(c: 0.5, f: 0.5).followed(by: back)
      .followed(by: AffineMap(c: -0.5 - Double(left), f: -0.5 - Double(top)))
    guard let inverse = map.inverse,
      var warped = source.warped(
        by: shifted, width: right - left, height: bottom - top, edges: .replicate, largestGrid: 6)
    else { return nil }
    if let tone { warped = tone.applied(to: warped) }
    let edge = SceneShape(
      kind: .rectangle, box: whole,
      softness: 2 / max(1, min(whole.width, whole.height) * scale))
    let (a, b, c) = (Float(inverse.a), Float(inverse.b), Float(inverse.c))
    let (d, e, f) = (Float(inverse.d), Float(inverse.e), Float(inverse.f))
    warped.pixels.withUnsafeBufferPointer { source in
      paint(in: area) { x, y, _ in
        let (sceneX, sceneY) = (Float(x) + 0.5, Float(y) + 0.5)
        let (u, v) = (a * sceneX + b * sceneY + c, d * sceneX + e * sceneY + f)
        let place = 3 * ((y - top) * (right - left) + x - left)
        return (
          SIMD3(Float(source[place]), Float(source[place + 1]), Float(source[place + 2])),
          min(shape.coverage(u, v), edge.coverage(u, v))
        )
      }
    }
    return area
  }

  /// Mixes every pixel of a box with a colour. `body` gets the column, the row and the current
  /// colour, and returns the new colour and its opacity, 0 to 1.
  @inline(__always)
  private mutating func paint(
    in box: Box, _ body: (Int, Int, SIMD3<Float>) -> (color: SIMD3<Float>, part: Float)
  ) {
    let area = box.clipped(to: frame)
    let (left, right) = (Int(area.x1.rounded(.down)), min(width, Int(area.x2.rounded(.up))))
    let (top, bottom) = (Int(area.y1.rounded(.down)), min(height, Int(area.y2.rounded(.up))))
    guard right > left, bottom > top else { return }
    let width = width
    pixels.withUnsafeMutableBufferPointer { pixels in
      for row in top..<bottom {
        for column in left..<right {
          let place = 3 * (row * width + column)
          let old = SIMD3(
            Float(pixels[place]), Float(pixels[place + 1]), Float(pixels[place + 2]))
          let (color, part) = body(column, row, old)
          guard part > 0 else { continue }
          let new = old + (color - old) * part + 0.5
          pixels[place] = UInt8(min(max(new.x, 0), 255))
          pixels[place + 1] = UInt8(min(max(new.y, 0), 255))
          pixels[place + 2] = UInt8(min(max(new.z, 0), 255))
        }
      }
    }
  }
}

extension Box {
  /// The intersection with another box; empty if they do not overlap.
  func clipped(to other: Box) -> Box {
    Box(
      x1: min(max(x1, other.x1), other.x2), y1: min(max(y1, other.y1), other.y2),
      x2: min(max(x2, other.x1), other.x2), y2: min(max(y2, other.y1), other.y2))
  }

  /// The bounding box of the four corners after a map.
  fileprivate func corners(movedBy map: AffineMap) -> Box {
    let points = [(x1, y1), (x2, y1), (x1, y2), (x2, y2)].map {
      map(x: Double($0.0), y: Double($0.1))
    }
    let (x, y) = (points.map { Float($0.x) }, points.map { Float($0.y) })
    return Box(
      x1: x.min() ?? 0, y1: y.min() ?? 0, x2: x.max() ?? 0, y2: y.max() ?? 0)
  }
}
