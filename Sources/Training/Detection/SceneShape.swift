import DeepfakeCore
import FaceDetect
import Foundation

/// An area with a soft edge.
struct SceneShape: Sendable {
  enum Kind: Sendable {
    case rectangle
    /// |x|^2 + |y|^2 = 1.
    case ellipse
    /// |x|^4 + |y|^4 = 1: between an ellipse and a rectangle.
    case squircle
  }

  var kind: Kind
  /// The bounding box of the area.
  var box: Box
  /// Width of the soft edge, as a fraction of the distance from the middle to the border.
  var softness: Float

  /// The coverage of a point, 0 to 1.
  @inline(__always)
  func coverage(_ x: Float, _ y: Float) -> Float {
    let u = abs(2 * x - box.x1 - box.x2) / max(box.x2 - box.x1, 1e-3)
    let v = abs(2 * y - box.y1 - box.y2) / max(box.y2 - box.y1, 1e-3)
    let distance: Float
    switch kind {
    case .rectangle: distance = max(u, v)
    case .ellipse: distance = (u * u + v * v).squareRoot()
    case .squircle: distance = (u * u * u * u + v * v * v * v).squareRoot().squareRoot()
    }
    return min(max((1 - distance) / max(softness, 1e-4), 0), 1)
  }

  /// The covered fraction of a box, measured on an even grid of points.
  func share(of target: Box) -> Float {
    let steps = 8
    var sum: Float = 0
    for row in 0..<steps {
      for column in 0..<steps {
        sum += coverage(
          target.x1 + target.width * (Float(column) + 0.5) / Float(steps),
          target.y1 + target.height * (Float(row) + 0.5) / Float(steps))
      }
    }
    return sum / Float(steps * steps)
  }
}

extension Box {
  /// The box with its sides multiplied by factors, around the same centre.
  func stretched(_ x: Float, _ y: Float) -> Box {
    let (halfWidth, halfHeight) = (width * x / 2, height * y / 2)
    return Box(
      x1: center.x - halfWidth, y1: center.y - halfHeight, x2: center.x + halfWidth,
      y2: center.y + halfHeight)
  }

  func moved(_ x: Float, _ y: Float) -> Box {
    Box(x1: x1 + x, y1: y1 + y, x2: x2 + x, y2: y2 + y)
  }

  /// The fraction of this box that another box covers, 0 to 1.
  func share(coveredBy other: Box) -> Float {
    let width = min(x2, other.x2) - max(x1, other.x1)
    let height = min(y2, other.y2) - max(y1, other.y1)
    return width > 0 && height > 0 && area > 0 ? width * height / area : 0
  }

  /// The bounding box of the ellipse in this box after a map without shear.
  func moved(by map: AffineMap) -> Box {
    let (x, y) = map(x: Double(center.x), y: Double(center.y))
    let (halfWidth, halfHeight) = (Double(width) / 2, Double(height) / 2)
    let reachX = Float(hypot(map.a * halfWidth, map.b * halfHeight))
    let reachY = Float(hypot(map.d * halfWidth, map.e * halfHeight))
    return Box(
      x1: Float(x) - reachX, y1: Float(y) - reachY, x2: Float(x) + reachX, y2: Float(y) + reachY)
  }
}
