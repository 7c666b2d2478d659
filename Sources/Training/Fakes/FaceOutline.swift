import DeepfakeCore
import Foundation

/// The part of a face that a fake replaces.
package enum BlendedPart: String, Sendable, CaseIterable {
  /// From the forehead to the chin.
  case face
  /// From the brows to the chin.
  case inner
  /// Brows, eyes, nose and mouth.
  case features
  /// From the nose to the chin.
  case lower
  /// An ellipse from the brows to the chin.
  case ellipse

  /// The right half of the outline in a `FaceFrame`, from top to bottom; the left half mirrors it.
  /// Proportions are those of adults (63 mm between the eyes, 135 mm between the cheeks, the mouth
  /// 70 mm and the chin 115 mm below the eyes).
  private var half: [SIMD2<Double>] {
    switch self {
    case .face:
      [
        [0, -1.1], [0.5, -1.05], [0.9, -0.7], [1.08, -0.1], [1.1, 0.35], [1.02, 0.8], [0.84, 1.2],
        [0.48, 1.55], [0, 1.66],
      ]
    case .inner:
      [
        [0, -0.4], [0.45, -0.5], [0.92, -0.42], [1.06, -0.05], [1.08, 0.35], [1, 0.8], [0.82, 1.2],
        [0.46, 1.52], [0, 1.62],
      ]
    case .features:
      [
        [0, -0.36], [0.45, -0.44], [0.85, -0.36], [0.94, 0], [0.85, 0.5], [0.62, 1], [0.3, 1.26],
        [0, 1.3],
      ]
    case .lower:
      [[0, 0.12], [0.4, 0.22], [0.92, 0.4], [0.94, 0.8], [0.8, 1.2], [0.45, 1.5], [0, 1.6]]
    case .ellipse:
      (0...12).map { step in
        let angle = Double(step) / 12 * .pi
        return [1.04 * sin(angle), 0.55 - 1.12 * cos(angle)]
      }
    }
  }

  /// The whole outline in a `FaceFrame`, clockwise as seen.
  var outline: [SIMD2<Double>] {
    let half = half
    return half + half.dropFirst().dropLast().reversed().map { [-$0.x, $0.y] }
  }
}

/// A closed polygon around a part of a picture, in pixels.
package struct FaceOutline: Sendable, Equatable {
  /// The corners in order.
  package var points: [SIMD2<Double>]

  /// The usual outline of a part of a face.
  package init(_ part: BlendedPart, of frame: FaceFrame) {
    points = part.outline.map { frame.point($0.x, $0.y) }
  }

  /// A random outline of a part of a face: the size changes, the corners move, and the result is
  /// convex.
  init(_ part: BlendedPart, of frame: FaceFrame, using generator: inout SeededGenerator) {
    let size = Double(generator.uniform(in: 0.9...1.08))
    // Scaled around the middle of the face.
    let moved = part.outline.map { corner -> SIMD2<Double> in
      let shaken = SIMD2(Double(generator.normal()), Double(generator.normal())) * 0.035
      let place = (corner - [0, 0.5]) * size + [0, 0.5] + shaken
      return frame.point(place.x, place.y)
    }
    points = Self.convexHull(moved)
  }

  /// The convex hull of some points, clockwise as seen (Andrew's monotone chain).
  package static func convexHull(_ points: [SIMD2<Double>]) -> [SIMD2<Double>] {
    let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    guard sorted.count > 2 else { return sorted }
    func chain(_ points: some Sequence<SIMD2<Double>>) -> [SIMD2<Double>] {
      var chain: [SIMD2<Double>] = []
      for point in points {
        while chain.count > 1 {
          let (a, b) = (chain[chain.count - 2], chain[chain.count - 1])
          let turn = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)
          if turn > 0 { break }
          chain.removeLast()
        }
        chain.append(point)
      }
      return chain
    }
    return chain(sorted).dropLast() + chain(sorted.reversed()).dropLast()
  }

  /// The polygon with at least `count` points at nearly even distances, so that it can be bent.
  func subdivided(_ count: Int) -> [SIMD2<Double>] {
    let lengths = points.indices.map { (points[($0 + 1) % points.count] - points[$0]).length }
    let total = lengths.reduce(0, +)
    guard total > 0 else { return points }
    return points.indices.flatMap { index -> [SIMD2<Double>] in
      let steps = max(1, Int((Double(count) * lengths[index] / total).rounded(.up)))
      let (from, to) = (points[index], points[(index + 1) % points.count])
      return (0..<steps).map { from + (to - from) * (Double($0) / Double(steps)) }
    }
  }
}
