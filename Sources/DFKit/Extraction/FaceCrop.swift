import DeepfakeCore
import FaceDetect

/// A face cut out of its frame, and where its landmarks are in the picture.
struct FaceCrop {
  var image: Image
  /// In pixels of the picture, whole numbers being the middles of pixels; empty where the detector found
  /// none.
  var landmarks: [Point]
}

extension Recipe.Crop {
  /// The face cut out as `cut` does, and scaled to `size` pixels a side where that is given.
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
