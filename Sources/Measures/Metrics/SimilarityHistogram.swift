import DeepfakeCore

/// How often pairs of faces have each similarity, -1 to 1 in steps of 0.0001: as many pairs as
/// there may be, in little memory.
package struct SimilarityHistogram: Sendable {
  private static let steps = 10_000
  private var counts = [Int](repeating: 0, count: 2 * steps + 1)
  /// The number of pairs.
  package private(set) var total = 0

  /// No pairs.
  package init() {}

  /// Takes in a pair's similarity.
  package mutating func add(_ similarity: Float) {
    counts[Self.bin(Double(similarity))] += 1
    total += 1
  }

  private static func bin(_ similarity: Double) -> Int {
    precondition(!similarity.isNaN, "SimilarityHistogram: NaN")
    return Int((min(max(similarity, -1), 1) * Double(steps)).rounded()) + steps
  }

  /// The number of pairs that are at least this similar; a threshold above 1 is reached by none.
  package func count(atLeast threshold: Float) -> Int {
    let first = (Double(threshold) * Double(Self.steps)).rounded()
    guard first <= Double(Self.steps) else { return 0 }
    return counts[Self.bin(Double(threshold))...].reduce(0, +)
  }

  /// The part of the pairs that are at least this similar; NaN without pairs.
  package func share(atLeast threshold: Float) -> Double {
    Double(count(atLeast: threshold)) / Double(total)
  }

  /// The lowest threshold that at most a part of the pairs reach; above 1 where even 1 does not do.
  package func threshold(forShare share: Double) -> Float {
    let allowed = Int(Double(total) * share)
    var reached = 0
    for bin in counts.indices.reversed() {
      reached += counts[bin]
      if reached > allowed { return Float(bin + 1 - Self.steps) / Float(Self.steps) }
    }
    return -1
  }

  /// How often a pair of this histogram is more similar than one of another, ties counting half:
  /// the area under the curve of receiver operating characteristic. NaN where either is empty.
  package func area(over other: SimilarityHistogram) -> Double {
    var below = 0
    var area = 0.0
    for bin in counts.indices {
      area += Double(counts[bin]) * (Double(below) + Double(other.counts[bin]) / 2)
      below += other.counts[bin]
    }
    return area / (Double(total) * Double(other.total))
  }

  /// The pairs in `bins` equal ranges from -1 to 1, as parts of all: for drawing.
  package func shares(bins: Int) -> [Double] {
    precondition(bins > 0, "SimilarityHistogram: \(bins) bins")
    var shares = [Double](repeating: 0, count: bins)
    for (bin, count) in counts.enumerated() where count > 0 {
      shares[min(bins - 1, bin * bins / counts.count)] += Double(count) / Double(total)
    }
    return shares
  }
}

/// How well similarity tells pairs of one face from pairs of two.
package struct Verification: Sendable {
  /// What the pairs are.
  package var name: String
  /// Pairs of one face.
  package var same: SimilarityHistogram
  /// Pairs of different people.
  package var different: SimilarityHistogram

  /// A comparison without pairs.
  package init(_ name: String) {
    self.name = name
    same = SimilarityHistogram()
    different = SimilarityHistogram()
  }

  /// How often a pair of one face is more similar than one of two; NaN without either.
  package var auc: Double { same.area(over: different) }

  /// The part of the pairs of one face that is found where a part of the pairs of two is taken for
  /// one.
  package func trueRate(atFalseRate rate: Double) -> Double {
    same.share(atLeast: different.threshold(forShare: rate))
  }
}
