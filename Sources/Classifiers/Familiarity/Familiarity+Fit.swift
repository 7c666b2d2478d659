import DeepfakeCore

/// Why a `Familiarity` cannot be fitted.
package enum FamiliarityError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A class has fewer than `Familiarity.fewestFaces` faces.
  case tooFew(real: Int, fake: Int)
  /// Features are not finite, or are the same for all faces.
  case degenerate
  /// The eigenvectors cannot be computed.
  case algebra(LinearAlgebraError)

  /// The message to show to users.
  package var description: String {
    switch self {
    case .tooFew(let real, let fake):
      "fitting needs at least \(Familiarity.fewestFaces) real and \(Familiarity.fewestFaces) fake"
        + " faces; there are \(real) real and \(fake) fake. Add more data."
    case .degenerate:
      "the network's features of the faces are all the same or not finite; its weights may be"
        + " damaged."
    case .algebra(let error): "the statistics of familiar faces cannot be computed: \(error)"
    }
  }
}

extension Familiarity {
  /// The minimum number of faces of each class.
  package static let fewestFaces = 8
  /// Shrinkage of the covariance: the fraction that is replaced by an isotropic covariance of the
  /// same trace. It keeps directions in which the fitted faces hardly vary from dominating the
  /// distance.
  package static let shrinkage = 0.01

  /// Fits a familiarity to features; the result has no limits.
  ///
  /// The covariance is computed within the classes, over all faces. Its `dimensions` leading
  /// eigenvectors are kept, fewer if there are fewer features or faces.
  ///
  /// - Parameters:
  ///   - features: One list of features per face, all of the same length.
  ///   - isFake: The label of each face.
  ///   - dimensions: The number of directions to keep, above 0.
  /// - Throws: `FamiliarityError`.
  package static func fitted(
    to features: [[Float]], isFake: [Bool], dimensions: Int = 64
  ) throws(FamiliarityError) -> Familiarity {
    precondition(
      features.count == isFake.count && dimensions > 0,
      "Familiarity: \(features.count) faces, \(isFake.count) labels, \(dimensions) dimensions")
    let counts = (real: isFake.count { !$0 }, fake: isFake.count { $0 })
    guard min(counts.real, counts.fake) >= fewestFaces else {
      throw .tooFew(real: counts.real, fake: counts.fake)
    }
    let width = features[0].count
    precondition(
      width > 0 && features.allSatisfy { $0.count == width }, "Familiarity: ragged features")
    var means = [[Double]](repeating: [Double](repeating: 0, count: width), count: 2)
    for (face, fake) in zip(features, isFake) {
      for i in 0..<width { means[fake ? 1 : 0][i] += Double(face[i]) }
    }
    for i in 0..<width {
      means[0][i] /= Double(counts.real)
      means[1][i] /= Double(counts.fake)
    }
    var centered = [Double]()
    centered.reserveCapacity(width * features.count)
    for (face, fake) in zip(features, isFake) {
      let mean = means[fake ? 1 : 0]
      for i in 0..<width { centered.append(Double(face[i]) - mean[i]) }
    }
    guard centered.allSatisfy(\.isFinite) else { throw .degenerate }
    let eigen: SymmetricEigenDecomposition
    do throws(LinearAlgebraError) {
      eigen = try Matrix(rows: features.count, columns: width, elements: centered)
        .transposedTimesSelf().symmetricEigenvectors()
    } catch {
      throw .algebra(error)
    }
    let spread = eigen.values.map { max(0, $0) / Double(features.count - 2) }
    let average = spread.reduce(0, +) / Double(width)
    guard average > 0 else { throw .degenerate }
    let kept = min(dimensions, width, features.count - 2)
    let center = zip(means[0], means[1]).map { ($0 + $1) / 2 }
    var projection: [Double] = []
    for row in 0..<kept {
      let variance = (1 - shrinkage) * spread[row] + shrinkage * average
      let scale = 1 / variance.squareRoot()
      for i in 0..<width { projection.append(eigen.vectors[row, i] * scale) }
    }
    let whitened = means.map { mean in
      (0..<kept).map { row in
        (0..<width).reduce(0.0) { $0 + projection[row * width + $1] * (mean[$1] - center[$1]) }
      }
    }
    let raw = Familiarity(
      projection: projection.map { Float($0) }, center: center.map { Float($0) },
      means: whitened.map { $0.map { Float($0) } }, residual: 1)
    // If all directions are kept, no residual remains. Any positive number then works as the
    // divisor.
    let left = features.reduce(0.0) { $0 + Double(raw.parts($1).residual) } / Double(features.count)
    return Familiarity(
      projection: raw.projection, center: raw.center, means: raw.means,
      residual: Float(max(left, 1e-6 * average * Double(width))))
  }
}
