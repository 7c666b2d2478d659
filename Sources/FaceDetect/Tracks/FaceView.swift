import DeepfakeCore

/// A small upright picture of a face with hair and shoulders, in which every face has the same
/// places: what descriptors are made of.
struct FaceView {
  /// Units of `FaceAlignment.template` a pixel of the view covers.
  static let unitsPerPixel = 3.5
  /// The view's upper left corner in units of the template.
  static let origin = (x: -60.0, y: -50.0)
  /// Pixels across.
  static let width = 66
  /// Pixels down.
  static let height = 78
  /// The columns of the view that are the template's square.
  static let templateColumns = 17..<49
  static let templateRows = 14..<46

  // More samples a pixel would cost time and hardly change what large regions look like.
  private static let samples = 3

  /// Red, green and blue of each pixel, from 0 to 255.
  let image: Image
  /// From places of the view to places of the frame.
  private let back: AffineMap
  private let frame: (width: Double, height: Double)

  /// The view of a face; nil for a face whose place in the frame is not a place.
  init?(of face: Face, in frame: Image) {
    guard let toTemplate = Self.alignment(of: face) else { return nil }
    let scale = 1 / Self.unitsPerPixel
    // The upper left pixel's centre lies half a pixel inside the view's corner.
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

  /// What brings a face to the template: by its landmarks, or by its box where they are of no use.
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

  /// Where landmarks usually lie in a face's box, as fractions of its extents: medians over 5,854
  /// faces that RetinaFace found.
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

  /// Whether a pixel of the view shows a place inside the frame.
  func isInFrame(x: Int, y: Int) -> Bool {
    let place = back(x: Double(x), y: Double(y))
    return place.x > -0.5 && place.y > -0.5 && place.x < frame.width - 0.5
      && place.y < frame.height - 0.5
  }
}
