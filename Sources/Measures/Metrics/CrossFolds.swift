import DeepfakeCore

/// Groups dealt out to folds by chance, so that what is fitted to the groups of the others can
/// judge each.
package struct CrossFolds: Sendable {
  /// The number of folds.
  package let count: Int
  /// The fold of each group, from 0.
  package let ofGroup: [Int]

  /// Folds of as equal a number of groups as can be; nil with less than two groups for each.
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
