import DeepfakeCore

/// A smooth random displacement of a picture: a uniform cubic B-spline over a coarse lattice.
/// (Simard et al., "Best Practices for Convolutional Neural Networks", 2003, use blurred noise
/// instead; the spline is as smooth and costs less.)
package struct ElasticLattice: Sendable, Equatable {
  /// Number of cells along each side of the picture.
  static let cells = 6
  private static let knots = cells + 3

  /// Displacements of shape [knots][knots][2]: to the right and down, in pixels.
  var displacements: [Float]

  /// A lattice without displacement.
  package static let still = ElasticLattice(
    displacements: [Float](repeating: 0, count: knots * knots * 2))

  private init(displacements: [Float]) {
    self.displacements = displacements
  }

  /// Displaces each knot by independent normal numbers with a standard deviation in pixels.
  package init(deviation: Float, using generator: inout SeededGenerator) {
    displacements = (0..<Self.knots * Self.knots * 2).map { _ in generator.normal() * deviation }
  }

  /// The lattice with its displacements multiplied by a factor.
  func scaled(by factor: Float) -> ElasticLattice {
    ElasticLattice(displacements: displacements.map { $0 * factor })
  }

  /// The displacement at a point of a picture of the given size, in pixels.
  package func displacement(at place: SIMD2<Double>, width: Int, height: Int) -> SIMD2<Double> {
    let (column, across) = Self.weights(place.x, extent: width)
    let (row, down) = Self.weights(place.y, extent: height)
    var sum = SIMD2<Double>.zero
    for j in 0..<4 {
      for i in 0..<4 {
        let knot = ((row + j) * Self.knots + column + i) * 2
        let at = SIMD2(Double(displacements[knot]), Double(displacements[knot + 1]))
        sum += at * (across[i] * down[j])
      }
    }
    return sum
  }

  /// The first of the four knots around a coordinate, and their weights. Coordinates outside the
  /// picture are moved to its edge.
  private static func weights(_ place: Double, extent: Int) -> (first: Int, weights: SIMD4<Double>)
  {
    let held = min(max(place, -0.5), Double(extent) - 0.5)
    let at = (held + 0.5) / Double(extent) * Double(cells)
    let cell = min(Int(at), cells - 1)
    let t = at - Double(cell)
    let u = 1 - t
    return (
      cell,
      SIMD4(
        u * u * u, 3 * t * t * t - 6 * t * t + 4, 3 * u * u * u - 6 * u * u + 4, t * t * t) / 6
    )
  }
}
