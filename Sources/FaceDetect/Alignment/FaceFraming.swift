import DeepfakeCore

/// The size and position of a face, computed from its landmarks without rotation. Crops cut in this
/// way need no resampling, and show turned heads as large as frontal ones.
package struct FaceFraming: Sendable, Equatable {
  /// The point halfway between the midpoint of the eyes and the midpoint of the mouth corners.
  package let middle: Point
  /// The distance, in pixels, between these two midpoints.
  package let distance: Float

  /// Creates the framing of a face. nil if there are not five landmarks (left eye, right eye, nose,
  /// left and right mouth corner), if they are not finite, or if the distance is 0.
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

  /// The side of a square around `middle` in which `distance` takes the fraction `length` of the
  /// side. If the square would extend beyond a picture of `width` by `height` pixels by more than
  /// about a twentieth of its side, it is made smaller, until `distance` takes the fraction `most`
  /// of it.
  package func side(
    showing length: Float, atMost most: Float, width: Int, height: Int
  ) -> Float {
    let (x, y) = (middle.x + 0.5, middle.y + 0.5)
    let room = 2.2 * min(x, Float(width) - x, y, Float(height) - y)
    return max(min(distance / length, room), distance / most)
  }

  /// The fraction of the side that `distance` takes in a crop without a margin, as in DFDC's
  /// published face crops.
  package static let usualLength: Float = 0.42

  /// The square around the face, in pixels of the frame. Its side is the distance divided by
  /// `usualLength`, plus `margin` times that on every side. nil if the landmarks do not fit the
  /// face's box: the face size that they imply is more than three times smaller or larger than the
  /// box.
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
