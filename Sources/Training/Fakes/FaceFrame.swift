import DeepfakeCore
import FaceDetect
import Foundation

/// A face's own coordinates in a picture, told by its five landmarks.
///
/// The origin is between the eyes. One to the right is about the distance of the eyes of a face
/// that looks ahead; one down leads to the middle of the mouth. Of a turned face, one half is wider
/// than the other.
package struct FaceFrame: Sendable, Equatable {
  /// Between the eyes, in pixels.
  var origin: SIMD2<Double>
  /// One to the right.
  var right: SIMD2<Double>
  /// One down.
  var down: SIMD2<Double>
  /// By how much the left half is wider than that of a face that looks ahead, and the right half.
  var leftWidth = 1.0
  var rightWidth = 1.0

  /// The frame of five points in a picture; nil where they make no face that is in the picture for
  /// the most part: a point is not a number, they coincide, or they are far outside.
  package init?(_ landmarks: [Point], width: Int, height: Int) {
    guard let found = FaceFrame(landmarks) else { return nil }
    let (side, middle) = (Double(min(width, height)), found.point(0, 0.5))
    guard found.down.length > 0.05 * side, found.down.length < 1.5 * Double(max(width, height)),
      middle.x > 0, middle.y > 0, middle.x < Double(width), middle.y < Double(height)
    else { return nil }
    self = found
  }

  /// The frame of five points wherever they are; nil where a point is not a number or they
  /// coincide.
  init?(_ landmarks: [Point]) {
    guard landmarks.count == 5 else { return nil }
    let points = landmarks.map { SIMD2(Double($0.x), Double($0.y)) }
    guard points.allSatisfy({ abs($0.x) < 1e6 && abs($0.y) < 1e6 }) else { return nil }
    let eyes = points[1] - points[0]
    origin = (points[0] + points[1]) / 2
    down = (points[3] + points[4]) / 2 - origin
    guard down.length > 1 else { return nil }
    // A face seen from the side has its eyes close together, and is wide all the same.
    let ahead = SIMD2(down.y, -down.x) / down.length
    let direction = eyes.length > 0.1 * down.length ? eyes / eyes.length : ahead
    right = direction * max(eyes.length, 0.75 * down.length)
    let nose = points[2] - origin - 0.6 * down
    let turn = min(max((nose * right).sum() / (right * right).sum() * 1.5, -1), 1)
    leftWidth = turn > 0 ? 1 + 0.4 * turn : 1 + 0.5 * turn
    rightWidth = turn > 0 ? 1 - 0.5 * turn : 1 - 0.4 * turn
  }

  /// Where a face is in most crops, for those of which nothing better is known.
  init(centredIn width: Int, _ height: Int) {
    let side = Double(min(width, height))
    origin = SIMD2(Double(width - 1) / 2, Double(height - 1) / 2 - 0.12 * side)
    right = SIMD2(0.34 * side, 0)
    down = SIMD2(0, 0.34 * side)
  }

  /// Pixels from cheek to cheek, about.
  var faceWidth: Double { 2.15 * right.length }

  /// A place of the face in the picture.
  package func point(_ x: Double, _ y: Double) -> SIMD2<Double> {
    origin + x * (x < 0 ? leftWidth : rightWidth) * right + y * down
  }

  /// A place of the picture in the face: what `point` takes back there.
  package func place(x: Double, y: Double) -> (x: Double, y: Double) {
    let offset = SIMD2(x, y) - origin
    let determinant = right.x * down.y - right.y * down.x
    let across = (offset.x * down.y - offset.y * down.x) / determinant
    let along = (right.x * offset.y - right.y * offset.x) / determinant
    return (across / (across < 0 ? leftWidth : rightWidth), along)
  }

  /// The frame in a picture of another size; whole numbers are the centres of pixels.
  func scaled(by factor: SIMD2<Double>) -> FaceFrame {
    var result = self
    result.origin = (origin + 0.5) * factor - 0.5
    result.right = right * factor
    result.down = down * factor
    return result
  }
}

extension SIMD2<Double> {
  var length: Double { (self * self).sum().squareRoot() }
}
