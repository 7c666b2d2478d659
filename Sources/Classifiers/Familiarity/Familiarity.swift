import DeepfakeCore

/// What a network remembers of the faces that it learned from, to tell those that are unlike them:
/// a network's answer on footage of another kind is worth nothing, however sure it is.
///
/// The features of a face (the mean of each map that the classifier pools) are compared with those
/// of the training part: a Gaussian for each class with one covariance (Lee et al. 2018, "A Simple
/// Unified Framework for Detecting Out-of-Distribution Samples"), in the leading directions of that
/// covariance only, and what lies outside of them (as in Wang et al. 2022, "ViM"). Beside that
/// there are simple measures of the picture, which also give the reason in words.
///
/// ```swift
/// let model = try ClassifierModel(StateDict.read(file))
/// if let familiarity = model.familiarity, let face = try model.judge([crop]).first {
///   print(familiarity.limits.traitsBeyond(face.measures).map(\.words))
/// }
/// ```
package struct Familiarity: Sendable, Equatable {
  /// What whitens features, [dimensions, features] row by row: the leading eigenvectors of the
  /// covariance within classes, each divided by the deviation along it.
  package let projection: [Float]
  /// What is first subtracted from features: halfway between the means of the two classes.
  package let center: [Float]
  /// The whitened means of real and of fake faces, each of `dimensions`.
  package let means: [[Float]]
  /// The mean squared length of what the projection leaves out of the features learned from, above
  /// 0.
  package let residual: Float
  /// How far a face may be.
  package var limits: TraitValues
  /// What is known of the fit, for people: entries of the file's metadata without their prefix.
  package var notes: [String: String] = [:]

  /// The variance along each direction: what takes the whitening back.
  private let variances: [Float]

  /// The directions that are kept.
  package var dimensions: Int { means[0].count }
  /// The features of a face.
  package var featureCount: Int { center.count }

  /// A familiarity of given numbers. `projection` has means' count times the center's count of
  /// elements, none of its rows is zero, and `residual` is above 0.
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

  /// The parts of a face's distance.
  package struct Parts: Sendable, Equatable {
    /// The squared Mahalanobis distance to the nearer of the two class means, by the number of
    /// directions: about 1 for faces like those learned from.
    package var mahalanobis: Float
    /// The squared length of the features outside of the directions, by its mean over the faces
    /// learned from.
    package var residual: Float

    /// How far the face is from those learned from: the mean of the two parts, about 1 for faces
    /// like those.
    package var distance: Float { (mahalanobis + residual) / 2 }
  }

  /// The parts of the distance of one face's features, `featureCount` numbers.
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

  /// How far one face's features are from those learned from (`Parts.distance`).
  package func distance(_ features: some Collection<Float>) -> Float { parts(features).distance }
}
