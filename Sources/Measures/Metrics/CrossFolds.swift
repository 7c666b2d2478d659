import DeepfakeCore

/// A random division of groups into folds, for cross-fitting: what is fitted to the other folds
/// judges each fold.
package struct CrossFolds: Sendable {
  /// The number of folds.
  package let count: Int
  /// The fold of each group, from 0 to `count` - 1.
  package let ofGroup: [Int]

  /// Creates folds of nearly equal numbers of groups; nil if there are fewer than two groups per
  /// fold.
  package init?(groups: Int, folds: Int = 5, seed: UInt64) {
    precondition(folds > 1, "CrossFolds: \(folds) folds")
    guard groups >= 2 * folds else { return nil }
    var generator = SeededGenerator(seed: seed, label: "cross-fitting")
    let order = Array(0..<groups).shuffled(using: &generator)
    var ofGroup = order
    for (place, group) in order.enumerated() { ofGroup[group] = place % folds }
    count = folds
    self.ofGroup = ofGroup
  }
}
