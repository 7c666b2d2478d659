import DeepfakeCore

/// A small upright image of a face with hair and shoulders, aligned so that the parts of all faces
/// are at the same places. Descriptors are computed from it.
struct FaceView {
  /// The side of a pixel of the view, in units of `FaceAlignment.template`.
  static let unitsPerPixel = 3.5
  /// The view's upper left corner, in units of the template.
  static let origin = (x: -60.0, y: -50.0)
  /// Width in pixels.
  static let width = 66
  /// Height in pixels.
  static let height = 78
  /// The view's columns and rows inside the template's square.
  static let templateColumns = 17..<49
  static let templateRows = 14..<46

  // More samples per pixel would take longer and hardly change large regions.
  private static let samples = 3

  /// The view as an RGB image.
  let image: Image
  /// Maps points of the view to points of the frame.
  private let back: AffineMap
  private let frame: (width: Double, height: Double)

  /// Creates the view of a face; nil if neither its landmarks nor its box give a valid position.
  init?(of face: Face, in frame: Image) {
    guard let toTemplate = Self.alignment(of: face) else { return nil }
    let scale = 1 / Self.unitsPerPixel
    // The centre of the upper left pixel lies half a pixel inside the view's corner.
    let (shiftX, shiftY) = (-Self.origin.x * scale - 0.5, -Self.origin.y * scale - 0.5)
    let t = toTemplate.map
    let map = AffineMap(
      a: t.a * scale, b: t.b * scale, c: t.c * scale + shiftX,
      d: t.d * scale, e: t.e * scale, f: t.f * scale + shiftY)
    guard let back = map.inverse,
      let image = frame.warped(
        by: map, width: Self.width, height: Self.height, edges: .replicate,
        largestGrid: Self.samples)
    else { return nil }
    self.image = image
    self.back = back
    self.frame = (Double(frame.width), Double(frame.height))
  }

  /// The transform from the frame to the template, from the landmarks, or from the box if they do
  /// not fit it.
  private static func alignment(of face: Face) -> SimilarityTransform? {
    let alignment = FaceAlignment()
    let side = Int(FaceAlignment.templateSide)
    if alignment.naturalSide(of: face) != nil {
      return alignment.transform(face.landmarks, side: side)
    }
    let box = face.box
    guard box.isFinite, box.width >= 1, box.height >= 1 else { return nil }
    return alignment.transform(
      usualPlaces.map { Point(x: box.x1 + $0.x * box.width, y: box.y1 + $0.y * box.height) },
      side: side)
  }

  /// The usual places of landmarks in a face's box, as fractions of its width and height: medians
  /// over 5,854 faces detected by RetinaFace.
  private static let usualPlaces = [
    Point(x: 0.26, y: 0.31), Point(x: 0.73, y: 0.31), Point(x: 0.49, y: 0.55),
    Point(x: 0.30, y: 0.71), Point(x: 0.71, y: 0.71),
  ]

  /// The pixels of the view in a rectangle given in units of the template.
  static func pixels(x: ClosedRange<Double>, y: ClosedRange<Double>) -> [(x: Int, y: Int)] {
    var places: [(x: Int, y: Int)] = []
    for row in 0..<height {
      guard y.contains(origin.y + (Double(row) + 0.5) * unitsPerPixel) else { continue }
      for column in 0..<width
      where x.contains(origin.x + (Double(column) + 0.5) * unitsPerPixel) {
        places.append((column, row))
      }
    }
    return places
  }

  /// Whether a pixel of the view shows a point inside the frame.
  func isInFrame(x: Int, y: Int) -> Bool {
    let place = back(x: Double(x), y: Double(y))
    return place.x > -0.5 && place.y > -0.5 && place.x < frame.width - 0.5
      && place.y < frame.height - 0.5
  }
}
