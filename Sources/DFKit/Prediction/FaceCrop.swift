import DeepfakeCore
import FaceDetect

extension Recipe.Faces {
  /// The faces of one frame that are scored, best first. Faces of equal rank keep the detector's
  /// order.
  public func chosen(from faces: [Face]) -> [Face] {
    choice(from: faces).map { faces[$0] }
  }

  /// The indices in `faces` of the faces that are scored, best first.
  func choice(from faces: [Face]) -> [Int] {
    let ranked = faces.enumerated().sorted { a, b in
      let (first, second) = (rank(a.element), rank(b.element))
      return first == second ? a.offset < b.offset : first > second
    }
    return ranked.prefix(perFrame).map(\.offset)
  }

  private func rank(_ face: Face) -> Float {
    switch choose {
    case .score: face.score
    case .size: face.box.area
    }
  }
}

/// A face cut out of its frame, with its landmarks.
struct FaceCrop {
  var image: Image
  /// In pixels of the crop; whole numbers are the centers of pixels. Empty if the detector found no
  /// landmarks.
  var landmarks: [Point]
}

extension Recipe.Crop {
  /// The face cut out of its frame, at the frame's resolution. Beyond the edge of the frame, the
  /// edge pixels are repeated.
  ///
  /// For `aligned` and `framed`, a face without five landmarks that fit its box is cut square.
  public func cut(_ face: Face, from frame: Image) -> Image {
    crop(face, from: frame, size: nil).image
  }

  /// The place of a frame's face in the later frame: cut by the same box and landmarks, so that
  /// only what moved differs. Nil if there is no later frame, or if it has another size.
  func later(of face: Face, in frame: MediaFrame, size: Int?) -> Image? {
    guard let later = frame.later?.image, later.width == frame.image.width,
      later.height == frame.image.height
    else { return nil }
    return crop(face, from: later, size: size).image
  }

  /// The face cut out as by `cut`, scaled to `size` pixels a side if given, and its landmarks.
  func crop(_ face: Face, from frame: Image, size: Int?) -> FaceCrop {
    if shape == .aligned {
      let alignment = FaceAlignment(margin: margin)
      if let natural = alignment.naturalSide(of: face),
        let image = alignment.crop(face, from: frame, side: size ?? natural),
        let transform = alignment.transform(face.landmarks, side: size ?? natural)
      {
        return FaceCrop(image: image, landmarks: face.landmarks.map { transform($0) })
      }
    }
    let framed = shape == .framed ? FaceFraming.square(of: face, margin: margin) : nil
    let place = framed ?? face.box.squareCrop(margin: margin)
    let image = frame.cropped(
      x: place.x, y: place.y, width: place.width, height: place.height, edges: .replicate)
    let side = size ?? place.width
    let scale = Float(side) / Float(place.width)
    let landmarks = face.landmarks.map { point in
      Point(
        x: (point.x - Float(place.x) + 0.5) * scale - 0.5,
        y: (point.y - Float(place.y) + 0.5) * scale - 0.5)
    }
    return FaceCrop(
      image: image.resized(width: side, height: side, method: .area), landmarks: landmarks)
  }
}
