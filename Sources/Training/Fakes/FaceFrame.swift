import DeepfakeCore
import FaceDetect
import Foundation

/// A face's own coordinate system in a picture, derived from its five landmarks.
///
/// The origin is between the eyes. One unit to the right is about the distance between the eyes of
/// a frontal face. One unit down leads to the middle of the mouth. In a turned face, one half is
/// wider than the other.
package struct FaceFrame: Sendable, Equatable {
  /// The point between the eyes, in pixels.
  var origin: SIMD2<Double>
  /// One unit to the right, in pixels.
  var right: SIMD2<Double>
  /// One unit down, in pixels.
  var down: SIMD2<Double>
  /// Width of the left half and of the right half, relative to a frontal face.
  var leftWidth = 1.0
  var rightWidth = 1.0

  /// The frame of five landmarks in a picture. Nil if the landmarks cannot be those of a face
  /// mostly in the picture: a coordinate is not finite, the points coincide, or they are far
  /// outside.
  package init?(_ landmarks: [Point], width: Int, height: Int) {
    guard let found = FaceFrame(landmarks) else { return nil }
    let (side, middle) = (Double(min(width, height)), found.point(0, 0.5))
    guard found.down.length > 0.05 * side, found.down.length < 1.5 * Double(max(width, height)),
      middle.x > 0, middle.y > 0, middle.x < Double(width), middle.y < Double(height)
    else { return nil }
    self = found
  }

  /// The frame of five landmarks at any position. Nil if a coordinate is not finite or the points
  /// coincide.
  init?(_ landmarks: [Point]) {
    guard landmarks.count == 5 else { return nil }
    let points = landmarks.map { SIMD2(Double($0.x), Double($0.y)) }
    guard points.allSatisfy({ abs($0.x) < 1e6 && abs($0.y) < 1e6 }) else { return nil }
    let eyes = points[1] - points[0]
    origin = (points[0] + points[1]) / 2
    down = (points[3] + points[4]) / 2 - origin
    guard down.length > 1 else { return nil }
    // In a profile the eyes are close together, although the face is wide.
    let ahead = SIMD2(down.y, -down.x) / down.length
    let direction = eyes.length > 0.1 * down.length ? eyes / eyes.length : ahead
    right = direction * max(eyes.length, 0.75 * down.length)
    let nose = points[2] - origin - 0.6 * down
    let turn = min(max((nose * right).sum() / (right * right).sum() * 1.5, -1), 1)
    leftWidth = turn > 0 ? 1 + 0.4 * turn : 1 + 0.5 * turn
    rightWidth = turn > 0 ? 1 - 0.5 * turn : 1 - 0.4 * turn
  }

  /// The usual place of a face in a crop, for faces without usable landmarks.
  init(centredIn width: Int, _ height: Int) {
    let side = Double(min(width, height))
    origin = SIMD2(Double(width - 1) / 2, Double(height - 1) / 2 - 0.12 * side)
    right = SIMD2(0.34 * side, 0)
    down = SIMD2(0, 0.34 * side)
  }

  /// Approximate distance from cheek to cheek, in pixels.
  var faceWidth: Double { 2.15 * right.length }

  /// Converts a point of the face to a point of the picture.
  package func point(_ x: Double, _ y: Double) -> SIMD2<Double> {
    origin + x * (x < 0 ? leftWidth : rightWidth) * right + y * down
  }

  /// Converts a point of the picture to a point of the face; the inverse of `point`.
  package func place(x: Double, y: Double) -> (x: Double, y: Double) {
    let offset = SIMD2(x, y) - origin
    let determinant = right.x * down.y - right.y * down.x
    let across = (offset.x * down.y - offset.y * down.x) / determinant
    let along = (right.x * offset.y - right.y * offset.x) / determinant
    return (across / (across < 0 ? leftWidth : rightWidth), along)
  }

  /// The frame in a scaled picture. Whole coordinates are the centres of pixels.
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
