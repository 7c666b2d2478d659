import DeepfakeCore

/// Statistics of the faces that a network learned from, to detect faces that are unlike them. On
/// other kinds of footage a network's result is unreliable, even with a probability near 0 or 1.
///
/// The features of a face (the mean of each map that the classifier pools) are compared with those
/// of the training set in two ways. The first is a Gaussian for each class with a shared covariance
/// (Lee et al. 2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples"),
/// limited to the leading eigenvectors of that covariance. The second is the residual outside of
/// these directions (as in Wang et al. 2022, "ViM"). In addition there are simple measures of the
/// image, which also give the reason in words.
///
/// ```swift
/// let model = try ClassifierModel(StateDict.read(file))
/// if let familiarity = model.familiarity, let face = try model.judge([crop]).first {
///   print(familiarity.limits.traitsBeyond(face.measures).map(\.words))
/// }
/// ```
package struct Familiarity: Sendable, Equatable {
  /// The whitening matrix, [dimensions, features], row by row: the leading eigenvectors of the
  /// covariance within classes, each divided by the standard deviation along it.
  package let projection: [Float]
  /// The vector that is first subtracted from features: the midpoint of the two class means.
  package let center: [Float]
  /// The whitened means of real and of fake faces, in this order, each with `dimensions` elements.
  package let means: [[Float]]
  /// The mean squared length of the residual over the fitted faces, above 0. The residual is the
  /// part of the features that the projection loses.
  package let residual: Float
  /// The limit of each trait; a face beyond a limit is unfamiliar.
  package var limits: TraitValues
  /// Notes on the fit, for people: entries of the file's metadata without the prefix
  /// `familiarity.`.
  package var notes: [String: String] = [:]

  /// The variance along each direction, to undo the whitening.
  private let variances: [Float]

  /// The number of directions that are kept.
  package var dimensions: Int { means[0].count }
  /// The number of features of a face.
  package var featureCount: Int { center.count }

  /// Creates a familiarity from its numbers. `projection` has `means[0].count * center.count`
  /// elements, no row of it is zero, and `residual` is above 0.
  package init(
    projection: [Float], center: [Float], means: [[Float]], residual: Float,
    limits: TraitValues = TraitValues()
  ) {
    precondition(
      means.count == 2 && !means[0].isEmpty && means[0].count == means[1].count
        && projection.count == means[0].count * center.count && residual > 0,
      "Familiarity: \(projection.count) numbers for \(means.map(\.count)) by \(center.count)")
    self.projection = projection
    self.center = center
    self.means = means
    self.residual = residual
    self.limits = limits
    variances = means[0].indices.map { row in
      let own = projection[row * center.count..<(row + 1) * center.count]
      return 1 / max(own.reduce(0) { $0 + $1 * $1 }, .leastNormalMagnitude)
    }
  }

  /// The two parts of a face's distance.
  package struct Parts: Sendable, Equatable {
    /// The squared Mahalanobis distance to the nearer class mean, divided by the number of
    /// directions: about 1 for faces like the fitted ones.
    package var mahalanobis: Float
    /// The squared length of the residual, divided by its mean over the fitted faces.
    package var residual: Float

    /// The face's distance from the fitted faces: the mean of the two parts, about 1 for faces like
    /// these.
    package var distance: Float { (mahalanobis + residual) / 2 }
  }

  /// The two parts of the distance for one face's features, `featureCount` numbers.
  package func parts(_ features: some Collection<Float>) -> Parts {
    precondition(
      features.count == featureCount,
      "Familiarity: \(features.count) features, expected \(featureCount)")
    let centered = zip(features, center).map { $0 - $1 }
    var rest = centered.reduce(0) { $0 + $1 * $1 }
    var squares: (Float, Float) = (0, 0)
    projection.withUnsafeBufferPointer { projection in
      for row in 0..<dimensions {
        var along: Float = 0
        let start = row * centered.count
        for (i, value) in centered.enumerated() { along += projection[start + i] * value }
        rest -= along * along * variances[row]
        let (toReal, toFake) = (along - means[0][row], along - means[1][row])
        squares.0 += toReal * toReal
        squares.1 += toFake * toFake
      }
    }
    return Parts(
      mahalanobis: min(squares.0, squares.1) / Float(dimensions),
      residual: max(0, rest) / residual)
  }

  /// The distance of one face's features from those of the fitted faces (`Parts.distance`).
  package func distance(_ features: some Collection<Float>) -> Float { parts(features).distance }
}
