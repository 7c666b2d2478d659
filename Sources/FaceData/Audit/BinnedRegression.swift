import DeepfakeCore
import Foundation
import Measures

/// Logistic regression on numbers put into bins: a tiny model that finds any way in which a few
/// numbers, each by itself, tell two labels apart, in the middle as well as at the ends of their
/// range.
struct BinnedRegression {
  /// Bins of a number, as equally filled as its values allow.
  static let binCount = 8
  /// The weight of the squared coefficients, which keeps them finite where a bin has one label
  /// only.
  private static let ridge = 1.0
  private static let steps = 25

  /// Where each feature's bins begin, but the first.
  private let edges: [[Float]]
  /// The first bin of each feature in the list of coefficients.
  private let starts: [Int]
  /// The intercept, then one a bin.
  private let coefficients: [Double]

  /// Fits labels by features; `rows` are samples, all of one number of features. Nil where the
  /// labels are all the same or the fit fails.
  init?(_ rows: [[Float]], _ labels: [FaceLabel]) {
    guard let width = rows.first?.count, Set(labels).count == 2 else { return nil }
    edges = (0..<width).map { feature in Self.edges(rows.map { $0[feature] }) }
    var starts: [Int] = []
    var count = 1
    for edges in edges {
      starts.append(count)
      count += edges.count + 1
    }
    self.starts = starts
    let bins = rows.map { [edges, starts] in Self.bins($0, edges, starts) }
    guard let fitted = Self.fit(bins, labels, count: count) else { return nil }
    coefficients = fitted
  }

  /// How fake a sample looks to the model: a logit.
  func logit(_ row: [Float]) -> Double {
    Self.bins(row, edges, starts).reduce(coefficients[0]) { $0 + coefficients[$1] }
  }

  private static func edges(_ values: [Float]) -> [Float] {
    let sorted = values.sorted()
    var edges: [Float] = []
    for bin in 1..<binCount {
      let edge = sorted[bin * sorted.count / binCount]
      if edge > edges.last ?? sorted[0] { edges.append(edge) }
    }
    return edges
  }

  private static func bins(_ row: [Float], _ edges: [[Float]], _ starts: [Int]) -> [Int] {
    row.indices.map { feature in
      // A number that is none is in the first bin.
      starts[feature] + edges[feature].count { row[feature] >= $0 }
    }
  }

  /// Newton's method.
  private static func fit(_ bins: [[Int]], _ labels: [FaceLabel], count: Int) -> [Double]? {
    var coefficients = [Double](repeating: 0, count: count)
    for _ in 0..<steps {
      var gradient = coefficients.map { -ridge * $0 }
      var curvature = [Double](repeating: 0, count: count * count)
      for index in 0..<count { curvature[index * count + index] = ridge }
      for (row, label) in zip(bins, labels) {
        let logit = row.reduce(coefficients[0]) { $0 + coefficients[$1] }
        let probability = sigmoid(logit)
        let error = Double(label.target) - probability
        let weight = probability * (1 - probability)
        let active = [0] + row
        for (place, first) in active.enumerated() {
          gradient[first] += error
          for second in active[place...] { curvature[first * count + second] += weight }
        }
      }
      let matrix = Matrix(rows: count, columns: count, elements: curvature)
      guard let step = try? matrix.solvedPositiveDefinite(gradient) else { return nil }
      for index in 0..<count { coefficients[index] += step[index] }
      if step.allSatisfy({ abs($0) < 1e-6 }) { break }
    }
    return coefficients
  }
}
