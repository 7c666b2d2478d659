import DeepfakeCore
import FaceDetect

/// A face crop on its way through an augmentation.
///
/// Maps of the plane wait until pixels are asked for, so that a run of geometric steps samples the
/// picture once.
package struct AugmentedFace: Sendable {
  private var source: Image
  private var map: AffineMap?
  private var edges: EdgeFill?
  /// Left eye, right eye, nose, left and right corner of the mouth, as now seen in the picture; nil
  /// where they are not known.
  package private(set) var landmarks: [Point]?

  /// A crop as it was cut.
  package init(_ image: Image, landmarks: [Point]? = nil) {
    source = image
    self.landmarks = landmarks?.count == 5 ? landmarks : nil
  }

  /// Pixels across.
  package var width: Int { source.width }
  /// Pixels down.
  package var height: Int { source.height }

  /// The picture as it is now.
  package var image: Image {
    mutating get {
      guard let pending = map else { return source }
      let fill = edges ?? .replicate
      (map, edges) = (nil, nil)
      if pending == AffineMap(a: -1, c: Double(width) - 1) {
        source = source.flippedHorizontally()
      } else if let moved = source.warped(
        by: pending, width: width, height: height, edges: fill, largestGrid: 4)
      {
        source = moved
      }
      return source
    }
  }

  /// Moves the picture within its frame. Whole numbers are the centres of pixels. `edges` says what
  /// is seen where the picture has moved away; nil is for maps that uncover nothing.
  package mutating func move(by next: AffineMap, edges: EdgeFill?) {
    if let old = self.edges, let edges, edges != old { _ = image }
    map = map.map { $0.followed(by: next) } ?? next
    self.edges = edges ?? self.edges
    guard let points = landmarks else { return }
    let moved = points.map { point in
      let (x, y) = next(x: Double(point.x), y: Double(point.y))
      return Point(x: Float(x), y: Float(y))
    }
    // What was the left eye is the right one in a mirror.
    landmarks = next.determinant < 0 ? [1, 0, 2, 4, 3].map { moved[$0] } : moved
  }

  /// Changes pixels without moving anything; the size must stay.
  package mutating func change(_ body: (Image) -> Image) {
    let changed = body(image)
    precondition(
      changed.width == width && changed.height == height,
      "AugmentedFace: \(width)x\(height) became \(changed.width)x\(changed.height)")
    source = changed
  }
}

extension AffineMap {
  /// This map, then another.
  package func followed(by next: AffineMap) -> AffineMap {
    AffineMap(
      a: next.a * a + next.b * d, b: next.a * b + next.b * e, c: next.a * c + next.b * f + next.c,
      d: next.d * a + next.e * d, e: next.d * b + next.e * e, f: next.d * c + next.e * f + next.f)
  }
}
