import DeepfakeCore

/// The size and the place of a face by its landmarks, without turning it: crops of one framing cost
/// no resampling and show turned heads as large as others.
package struct FaceFraming: Sendable, Equatable {
  /// Halfway between the middle of the eyes and that of the mouth's corners.
  package let middle: Point
  /// Pixels between those two.
  package let distance: Float

  /// The place of a face; nil where the five landmarks (left eye, right eye, nose, left and right
  /// corner of the mouth) are not there, are not finite, or leave no distance.
  package init?(landmarks: [Point]) {
    guard landmarks.count == 5 else { return nil }
    let eyes = (
      x: (landmarks[0].x + landmarks[1].x) / 2, y: (landmarks[0].y + landmarks[1].y) / 2
    )
    let mouth = (
      x: (landmarks[3].x + landmarks[4].x) / 2, y: (landmarks[3].y + landmarks[4].y) / 2
    )
    let (right, down) = (mouth.x - eyes.x, mouth.y - eyes.y)
    distance = (right * right + down * down).squareRoot()
    middle = Point(x: (eyes.x + mouth.x) / 2, y: (eyes.y + mouth.y) / 2)
    guard distance.isFinite, middle.x.isFinite, middle.y.isFinite, distance > 0 else { return nil }
  }

  /// The side of the square around the middle that shows the distance as a part `length` of it, in
  /// a picture of so many pixels. Where that would reach over a twentieth of the side beyond the
  /// picture, it is as much less, until the distance is `most` of it.
  package func side(
    showing length: Float, atMost most: Float, width: Int, height: Int
  ) -> Float {
    let (x, y) = (middle.x + 0.5, middle.y + 0.5)
    let room = 2.2 * min(x, Float(width) - x, y, Float(height) - y)
    return max(min(distance / length, room), distance / most)
  }

  /// The distance as a part of the side of a crop without a margin: that of DFDC's published face
  /// crops.
  package static let usualLength: Float = 0.42

  /// The square around the face, in pixels of the frame: its side is the distance by `usualLength`,
  /// with `margin` times that on every side. Nil where the landmarks cannot be those of `face`'s
  /// box, which is more than three times smaller or larger than they say.
  package static func square(of face: Face, margin: Float) -> PixelRectangle? {
    guard let framing = FaceFraming(landmarks: face.landmarks) else { return nil }
    let plain = framing.distance / usualLength
    let longer = max(face.box.width, face.box.height)
    guard plain <= 3 * longer, longer <= 3 * plain else { return nil }
    let half = plain * (0.5 + margin)
    let (x, y) = (framing.middle.x, framing.middle.y)
    return Box(x1: x - half, y1: y - half, x2: x + half, y2: y + half).squareCrop(margin: 0)
  }
}
