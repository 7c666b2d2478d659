/// An affine map of the plane: (x, y) goes to (a x + b y + c, d x + e y + f).
package struct AffineMap: Sendable, Equatable {
  /// What x adds to x.
  package var a: Double
  /// What y adds to x.
  package var b: Double
  /// The shift of x.
  package var c: Double
  /// What x adds to y.
  package var d: Double
  /// What y adds to y.
  package var e: Double
  /// The shift of y.
  package var f: Double

  /// The map with these numbers; what is not given is the identity's.
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

  /// Where (x, y) goes.
  package func callAsFunction(x: Double, y: Double) -> (x: Double, y: Double) {
    (a * x + b * y + c, d * x + e * y + f)
  }

  /// The factor by which areas grow; negative for a map that mirrors.
  package var determinant: Double { a * e - b * d }

  /// The map back, or nil where there is none: the map is flat, or a number is not finite.
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

  /// The factor by which the direction that grows most grows: the largest singular value.
  package var largestStretch: Double {
    // In closed form: half the sum of the lengths of the map's turning and mirroring parts.
    let turning = ((a + e) * (a + e) + (d - b) * (d - b)).squareRoot()
    let mirroring = ((a - e) * (a - e) + (d + b) * (d + b)).squareRoot()
    return (turning + mirroring) / 2
  }
}
