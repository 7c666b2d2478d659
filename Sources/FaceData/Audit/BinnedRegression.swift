import DeepfakeCore
import Foundation
import Measures

/// Logistic regression on binned numbers. This tiny model finds any way in which single features
/// separate two labels, in the middle as well as at the ends of their range.
struct BinnedRegression {
  /// Maximum number of bins of a feature, filled as equally as the values allow.
  static let binCount = 8
  /// Weight of the squared coefficients (L2 regularization). It keeps them finite if all samples of
  /// a bin have the same label.
  private static let ridge = 1.0
  private static let steps = 25

  /// Lower edges of each feature's bins, without the first bin's.
  private let edges: [[Float]]
  /// Index of each feature's first bin in `coefficients`.
  private let starts: [Int]
  /// The intercept, then one coefficient for each bin.
  private let coefficients: [Double]

  /// Fits the labels by the features. `rows` holds one row of features for each sample, all of the
  /// same length. Nil if all labels are the same or the fit fails.
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

  /// The logit of "fake" for a row of features.
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
      // NaN falls into the first bin.
      starts[feature] + edges[feature].count { row[feature] >= $0 }
    }
  }

  /// Newton's method, at most `steps` iterations. Nil if the linear system cannot be solved.
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
