import DeepfakeCore

/// Cuts faces out upright and at the same scale. A similarity transform moves the five landmarks as
/// close as possible to five fixed positions.
///
/// The positions are those of ArcFace's 112x112 crops (Deng et al., "ArcFace: Additive Angular
/// Margin Loss for Deep Face Recognition", 2019; the numbers are in its published code). These
/// crops show the face from the brows to the chin.
package struct FaceAlignment: Sendable, Equatable {
  /// The side, in pixels, of the square in which `template` lies.
  package static let templateSide: Float = 112

  /// The target positions of left eye, right eye, nose, left and right mouth corner, in a square of
  /// `templateSide` pixels.
  package static let template: [Point] = [
    Point(x: 38.2946, y: 51.6963), Point(x: 73.5318, y: 51.5014), Point(x: 56.0252, y: 71.7366),
    Point(x: 41.5493, y: 92.3655), Point(x: 70.7299, y: 92.2041),
  ]

  /// The margin on every side of the template's square, as a fraction of its side.
  package var margin: Float

  /// Creates an alignment; `margin` is above -0.5.
  package init(margin: Float = 0) {
    precondition(margin > -0.5, "FaceAlignment: margin \(margin) leaves an empty crop")
    self.margin = margin
  }

  /// The target positions of the landmarks in a crop of `side` pixels: the template with its
  /// margin, scaled.
  package func places(side: Int) -> [Point] {
    let scale = Float(side) / (Self.templateSide * (1 + 2 * margin))
    let shift = margin * Self.templateSide
    return Self.template.map {
      Point(x: ($0.x + shift) * scale, y: ($0.y + shift) * scale)
    }
  }

  /// The transform from the frame to a crop of `side` pixels. nil if there are not five landmarks,
  /// or if no similarity fits them.
  package func transform(_ landmarks: [Point], side: Int) -> SimilarityTransform? {
    precondition(side > 0, "FaceAlignment: a side of \(side) pixels is empty")
    guard landmarks.count == Self.template.count else { return nil }
    return SimilarityTransform(from: landmarks, to: places(side: side))
  }

  /// The side, in pixels, of the crop at the face's own size: one pixel of the crop is one pixel of
  /// the frame. nil if landmarks are missing, or if they do not fit the face's box: the face size
  /// that they imply is more than 4 times smaller or larger than the box.
  package func naturalSide(of face: Face) -> Int? {
    let reference = Self.templateSide
    guard let transform = FaceAlignment().transform(face.landmarks, side: Int(reference)) else {
      return nil
    }
    let side = Double(reference) / transform.scale
    let longer = Double(max(face.box.width, face.box.height))
    guard side <= 4 * longer, longer <= 4 * side else { return nil }
    let wanted = PixelRectangle.wholePixels(Float(side) * (1 + 2 * margin))
    return min(max(1, wanted), 1 << 14)
  }

  /// The aligned face as a square image of `side` pixels; nil: at its own size in the frame.
  /// `edges` decides the pixels outside of the frame.
  ///
  /// Returns nil if `naturalSide(of:)` does.
  package func crop(
    _ face: Face, from frame: Image, side: Int? = nil, edges: EdgeFill = .replicate
  ) -> Image? {
    guard let natural = naturalSide(of: face) else { return nil }
    let side = side ?? natural
    return transform(face.landmarks, side: side).flatMap {
      frame.warped(by: $0.map, width: side, height: side, edges: edges)
    }
  }
}
