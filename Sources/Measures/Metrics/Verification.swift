/// How well similarity tells pairs of one face from pairs of two.
public struct Verification: Sendable {
  /// What the pairs are.
  public var name: String
  /// Pairs of one face.
  public var same: SimilarityHistogram
  /// Pairs of different people.
  public var different: SimilarityHistogram

  /// A comparison without pairs.
  package init(_ name: String) {
    self.name = name
    same = SimilarityHistogram()
    different = SimilarityHistogram()
  }

  /// How often a pair of one face is more similar than one of two; NaN without either.
  public var auc: Double { same.area(over: different) }

  /// The part of the pairs of one face that is found where a part of the pairs of two is taken for one.
  public func trueRate(atFalseRate rate: Double) -> Double {
    same.share(atLeast: different.threshold(forShare: rate))
  }
}
