import DeepfakeCore
import Foundation

/// How a crop is transformed before the networks see it. Used to test whether several views of a
/// face give better scores than one.
package enum CropView: Sendable, Hashable {
  /// Unchanged.
  case plain
  /// Mirrored horizontally.
  case flipped
  /// Rotated about its center, clockwise, by this many degrees. Border pixels are repeated.
  case turned(Int)

  /// The name in tables and caches.
  package var name: String {
    switch self {
    case .plain: "plain"
    case .flipped: "flipped"
    case .turned(let degrees): "turned \(degrees)"
    }
  }

  /// Transforms a crop; its size stays the same.
  func callAsFunction(_ crop: Image) -> Image {
    switch self {
    case .plain: return crop
    case .flipped: return crop.flippedHorizontally()
    case .turned(let degrees):
      let angle = Double(degrees) * .pi / 180
      let (sine, cosine) = (sin(angle), cos(angle))
      let (x, y) = (Double(crop.width - 1) / 2, Double(crop.height - 1) / 2)
      let map = AffineMap(
        a: cosine, b: -sine, c: x - cosine * x + sine * y, d: sine, e: cosine,
        f: y - sine * x - cosine * y)
      return crop.warped(by: map, width: crop.width, height: crop.height, edges: .replicate) ?? crop
    }
  }
}
