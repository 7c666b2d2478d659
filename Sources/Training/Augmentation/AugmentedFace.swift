import DeepfakeCore
import FaceDetect

/// A face crop that passes through the steps of an augmentation.
///
/// Geometric changes are collected until pixels are needed, so consecutive geometric steps resample
/// the picture only once.
package struct AugmentedFace: Sendable {
  private var source: Image
  private var map: AffineMap?
  private var edges: EdgeFill?
  /// Left eye, right eye, nose, left and right mouth corner as seen in the current picture; nil if
  /// they are unknown.
  package private(set) var landmarks: [Point]?

  /// A crop before any step. Landmarks other than five points are ignored.
  package init(_ image: Image, landmarks: [Point]? = nil) {
    source = image
    self.landmarks = landmarks?.count == 5 ? landmarks : nil
  }

  /// Width in pixels.
  package var width: Int { source.width }
  /// Height in pixels.
  package var height: Int { source.height }

  /// The current picture, with all pending geometric changes applied.
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

  /// Moves the picture within its frame. Whole coordinates are the centres of pixels. `edges` sets
  /// the fill of uncovered areas; nil is for maps that uncover nothing.
  package mutating func move(by next: AffineMap, edges: EdgeFill?) {
    if let old = self.edges, let edges, edges != old { _ = image }
    map = map.map { $0.followed(by: next) } ?? next
    self.edges = edges ?? self.edges
    guard let points = landmarks else { return }
    let moved = points.map { point in
      let (x, y) = next(x: Double(point.x), y: Double(point.y))
      return Point(x: Float(x), y: Float(y))
    }
    // In a mirror image, the left eye becomes the right one.
    landmarks = next.determinant < 0 ? [1, 0, 2, 4, 3].map { moved[$0] } : moved
  }

  /// Changes pixels. `body` must keep the size and must not move anything.
  package mutating func change(_ body: (Image) -> Image) {
    let changed = body(image)
    precondition(
      changed.width == width && changed.height == height,
      "AugmentedFace: \(width)x\(height) became \(changed.width)x\(changed.height)")
    source = changed
  }
}

extension AffineMap {
  /// The composition of this map and then `next`.
  package func followed(by next: AffineMap) -> AffineMap {
    AffineMap(
      a: next.a * a + next.b * d, b: next.a * b + next.b * e, c: next.a * c + next.b * f + next.c,
      d: next.d * a + next.e * d, e: next.d * b + next.e * e, f: next.d * c + next.e * f + next.f)
  }
}
