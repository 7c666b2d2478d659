/// An affine map of the plane: (x, y) maps to (a x + b y + c, d x + e y + f).
package struct AffineMap: Sendable, Equatable {
  /// The factor of x in the new x.
  package var a: Double
  /// The factor of y in the new x.
  package var b: Double
  /// The translation of x.
  package var c: Double
  /// The factor of x in the new y.
  package var d: Double
  /// The factor of y in the new y.
  package var e: Double
  /// The translation of y.
  package var f: Double

  /// Creates a map; the default values are those of the identity.
  package init(
    a: Double = 1, b: Double = 0, c: Double = 0, d: Double = 0, e: Double = 1, f: Double = 0
  ) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
  }

  /// The point to which (x, y) maps.
  package func callAsFunction(x: Double, y: Double) -> (x: Double, y: Double) {
    (a * x + b * y + c, d * x + e * y + f)
  }

  /// The factor by which areas grow; negative if the map mirrors.
  package var determinant: Double { a * e - b * d }

  /// The inverse map, or nil if the determinant is zero or a number is not finite.
  package var inverse: AffineMap? {
    let scale = 1 / determinant
    let map = AffineMap(
      a: e * scale, b: -b * scale, c: (b * f - c * e) * scale,
      d: -d * scale, e: a * scale, f: (c * d - a * f) * scale)
    return scale.isFinite && map.isFinite ? map : nil
  }

  /// Whether no number is infinite or NaN.
  package var isFinite: Bool {
    [a, b, c, d, e, f].allSatisfy(\.isFinite)
  }

  /// The largest factor by which the map stretches any direction: the largest singular value.
  package var largestStretch: Double {
    // Closed form: half the sum of the norms of the map's rotation part and its reflection part.
    let turning = ((a + e) * (a + e) + (d - b) * (d - b)).squareRoot()
    let mirroring = ((a - e) * (a - e) + (d + b) * (d + b)).squareRoot()
    return (turning + mirroring) / 2
  }
}
