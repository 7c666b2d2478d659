import DeepfakeCore
import Foundation

/// A similarity transform of the plane: rotation, scaling and translation, without reflection.
///
/// (x, y) goes to (a x - b y + translationX, b x + a y + translationY).
package struct SimilarityTransform: Sendable, Equatable {
  /// The scale times the cosine of the angle.
  package let a: Double
  /// The scale times the sine of the angle.
  package let b: Double
  /// The image of the origin: pixels from the left.
  package let translationX: Double
  /// The image of the origin: pixels from the top.
  package let translationY: Double

  /// Creates a transform that scales by `scale`, above 0, rotates x towards y by `angle` radians
  /// (clockwise on the screen), and then translates.
  package init(
    scale: Double, angle: Double, translationX: Double = 0, translationY: Double = 0
  ) {
    precondition(scale > 0, "SimilarityTransform: scale \(scale) is not above 0")
    self.init(
      a: scale * cos(angle), b: scale * sin(angle), translationX: translationX,
      translationY: translationY)
  }

  private init(a: Double, b: Double, translationX: Double, translationY: Double) {
    self.a = a
    self.b = b
    self.translationX = translationX
    self.translationY = translationY
  }

  /// The similarity that maps `source` to `target` with the least squared error. Reflections are
  /// excluded, and the computation is in double precision.
  ///
  /// nil if the points do not determine a similarity: a number is not finite, all points of one
  /// list coincide, or only a reflection would fit. The two lists must have the same length and not
  /// be empty.
  ///
  /// Umeyama, "Least-squares estimation of transformation parameters between two point patterns"
  /// (PAMI 1991), equations 40 to 43.
  package init?(from source: [Point], to target: [Point]) {
    precondition(
      source.count == target.count && !source.isEmpty,
      "SimilarityTransform: \(source.count) points cannot be mapped to \(target.count)")
    let count = Double(source.count)
    let (from, to) = (Self.mean(source), Self.mean(target))
    var variance = 0.0
    var covariance = Matrix(rows: 2, columns: 2, elements: [0, 0, 0, 0])
    for (p, q) in zip(source, target) {
      let (x, y) = (Double(p.x) - from.x, Double(p.y) - from.y)
      let (u, v) = (Double(q.x) - to.x, Double(q.y) - to.y)
      variance += (x * x + y * y) / count
      covariance[0, 0] += u * x / count
      covariance[0, 1] += u * y / count
      covariance[1, 0] += v * x / count
      covariance[1, 1] += v * y / count
    }
    // Points that coincide may differ by rounding errors.
    guard variance > 1e-18 * (1 + from.x * from.x + from.y * from.y),
      let parts = try? covariance.singularValues()
    else { return nil }
    let (u, v) = (parts.left, parts.rightTransposed)
    let handedness =
      (u[0, 0] * u[1, 1] - u[0, 1] * u[1, 0]) * (v[0, 0] * v[1, 1] - v[0, 1] * v[1, 0])
    let sign: Double = handedness < 0 ? -1 : 1
    let scale = (parts.values[0] + sign * parts.values[1]) / variance
    guard scale.isFinite, scale > 1e-9 else { return nil }
    a = scale * (u[0, 0] * v[0, 0] + sign * u[0, 1] * v[1, 0])
    b = scale * (u[1, 0] * v[0, 0] + sign * u[1, 1] * v[1, 0])
    translationX = to.x - (a * from.x - b * from.y)
    translationY = to.y - (b * from.x + a * from.y)
    guard map.isFinite else { return nil }
  }

  private static func mean(_ points: [Point]) -> (x: Double, y: Double) {
    var (x, y) = (0.0, 0.0)
    for point in points {
      x += Double(point.x)
      y += Double(point.y)
    }
    return (x / Double(points.count), y / Double(points.count))
  }

  /// The factor by which lengths are scaled.
  package var scale: Double { (a * a + b * b).squareRoot() }

  /// The rotation angle, in radians, from x towards y.
  package var angle: Double { atan2(b, a) }

  /// The same transform as an affine map.
  package var map: AffineMap {
    AffineMap(a: a, b: -b, c: translationX, d: b, e: a, f: translationY)
  }

  /// Applies the transform to a point.
  package func callAsFunction(_ point: Point) -> Point {
    let (x, y) = map(x: Double(point.x), y: Double(point.y))
    return Point(x: Float(x), y: Float(y))
  }
}
