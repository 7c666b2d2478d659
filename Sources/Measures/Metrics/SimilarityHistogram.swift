import DeepfakeCore

/// A histogram of similarities of pairs of faces, from -1 to 1 in steps of 0.0001. It takes the
/// same small amount of memory for any number of pairs.
package struct SimilarityHistogram: Sendable {
  private static let steps = 10_000
  private var counts = [Int](repeating: 0, count: 2 * steps + 1)
  /// The number of pairs.
  package private(set) var total = 0

  /// Creates an empty histogram.
  package init() {}

  /// Adds a pair's similarity, clipped to -1...1; it must not be NaN.
  package mutating func add(_ similarity: Float) {
    counts[Self.bin(Double(similarity))] += 1
    total += 1
  }

  private static func bin(_ similarity: Double) -> Int {
    precondition(!similarity.isNaN, "SimilarityHistogram: NaN")
    return Int((min(max(similarity, -1), 1) * Double(steps)).rounded()) + steps
  }

  /// The number of pairs with at least this similarity; 0 for a threshold above 1.
  package func count(atLeast threshold: Float) -> Int {
    let first = (Double(threshold) * Double(Self.steps)).rounded()
    guard first <= Double(Self.steps) else { return 0 }
    return counts[Self.bin(Double(threshold))...].reduce(0, +)
  }

  /// The fraction of the pairs with at least this similarity; NaN without pairs.
  package func share(atLeast threshold: Float) -> Double {
    Double(count(atLeast: threshold)) / Double(total)
  }

  /// The lowest threshold that at most the fraction `share` of the pairs reach; above 1 if too many
  /// pairs have a similarity of 1.
  package func threshold(forShare share: Double) -> Float {
    let allowed = Int(Double(total) * share)
    var reached = 0
    for bin in counts.indices.reversed() {
      reached += counts[bin]
      if reached > allowed { return Float(bin + 1 - Self.steps) / Float(Self.steps) }
    }
    return -1
  }

  /// The area under the ROC curve: the probability that a pair of this histogram is more similar
  /// than a pair of `other`; ties count one half. NaN if either is empty.
  package func area(over other: SimilarityHistogram) -> Double {
    var below = 0
    var area = 0.0
    for bin in counts.indices {
      area += Double(counts[bin]) * (Double(below) + Double(other.counts[bin]) / 2)
      below += other.counts[bin]
    }
    return area / (Double(total) * Double(other.total))
  }

  /// The fractions of the pairs in `bins` equal ranges from -1 to 1, for plots.
  package func shares(bins: Int) -> [Double] {
    precondition(bins > 0, "SimilarityHistogram: \(bins) bins")
    var shares = [Double](repeating: 0, count: bins)
    for (bin, count) in counts.enumerated() where count > 0 {
      shares[min(bins - 1, bin * bins / counts.count)] += Double(count) / Double(total)
    }
    return shares
  }
}

/// Face verification: how well similarity distinguishes pairs of the same person from pairs of
/// different people.
package struct Verification: Sendable {
  /// The name of the set of pairs.
  package var name: String
  /// The similarities of pairs of the same face.
  package var same: SimilarityHistogram
  /// The similarities of pairs of different people.
  package var different: SimilarityHistogram

  /// Creates a comparison without pairs.
  package init(_ name: String) {
    self.name = name
    same = SimilarityHistogram()
    different = SimilarityHistogram()
  }

  /// The probability that a pair of the same face is more similar than a pair of different people;
  /// NaN if either kind is missing.
  package var auc: Double { same.area(over: different) }

  /// The fraction of the pairs of the same face that reach the threshold at which at most the
  /// fraction `rate` of the pairs of different people do.
  package func trueRate(atFalseRate rate: Double) -> Double {
    same.share(atLeast: different.threshold(forShare: rate))
  }
}
