import DeepfakeCore
import FaceDetect

extension Recipe.Faces {
  /// The faces of one frame that are judged, best first; equals keep the detector's order.
  public func chosen(from faces: [Face]) -> [Face] {
    choice(from: faces).map { faces[$0] }
  }

  /// Their places in `faces`.
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

extension Recipe.Crop {
  /// The face cut out of its frame at the frame's own resolution; where the crop reaches beyond the
  /// frame, the edge's pixels go on.
  ///
  /// A face without five landmarks that fit its box cannot be aligned: it is cut square instead.
  public func cut(_ face: Face, from frame: Image) -> Image {
    crop(face, from: frame, size: nil).image
  }
}
