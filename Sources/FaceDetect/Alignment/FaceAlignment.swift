import DeepfakeCore

/// Cuts faces out upright and at one scale: the five landmarks are brought nearest to five fixed
/// places by a similarity transform.
///
/// The places are those of ArcFace's 112x112 crops (Deng et al., "ArcFace: Additive Angular Margin
/// Loss for Deep Face Recognition", 2019; the numbers are in its published code), which show the
/// face from the brows to the chin.
package struct FaceAlignment: Sendable, Equatable {
  /// The side of the square in which `template` lies.
  package static let templateSide: Float = 112

  /// Where the left eye, right eye, nose, left and right corner of the mouth belong, in a square of
  /// `templateSide` pixels.
  package static let template: [Point] = [
    Point(x: 38.2946, y: 51.6963), Point(x: 73.5318, y: 51.5014), Point(x: 56.0252, y: 71.7366),
    Point(x: 41.5493, y: 92.3655), Point(x: 70.7299, y: 92.2041),
  ]

  /// What is added to the template's square on every side, as a fraction of its side.
  package var margin: Float

  /// An alignment; `margin` is above -0.5.
  package init(margin: Float = 0) {
    precondition(margin > -0.5, "FaceAlignment: margin \(margin) leaves nothing")
    self.margin = margin
  }

  /// Where the landmarks belong in a crop of `side` pixels: the template with its margin, scaled.
  package func places(side: Int) -> [Point] {
    let scale = Float(side) / (Self.templateSide * (1 + 2 * margin))
    let shift = margin * Self.templateSide
    return Self.template.map {
      Point(x: ($0.x + shift) * scale, y: ($0.y + shift) * scale)
    }
  }

  /// What takes places of the frame to places of the crop of `side` pixels; nil where the landmarks
  /// are not five, or determine no similarity.
  package func transform(_ landmarks: [Point], side: Int) -> SimilarityTransform? {
    precondition(side > 0, "FaceAlignment: a side of \(side) pixels is empty")
    guard landmarks.count == Self.template.count else { return nil }
    return SimilarityTransform(from: landmarks, to: places(side: side))
  }

  /// The side in pixels of the crop at the face's own size in the frame: one pixel of the crop is
  /// one of the frame. Nil where landmarks are missing or cannot be those of the face's box, which
  /// is more than 4 times smaller or larger than they say.
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

  /// The aligned face as a square picture of `side` pixels, or at its own size in the frame. Where
  /// it reaches beyond the frame, `edges` says what is seen.
  ///
  /// Nil where `naturalSide(of:)` is.
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
