/// Weights of samples: groups weigh the same within a source and a label, sources weigh the same
/// within a label, and each label weighs one half.
///
/// Within a label, all sources that have only this label, such as collections of real faces,
/// together weigh as much as one source that has both labels, in equal parts. Without sources, all
/// samples are of one source.
package struct GroupWeights: Sendable {
  /// The weight of each sample; their sum is the number of groups.
  package let weights: [Double]

  /// Computes the weights.
  ///
  /// - Parameters:
  ///   - groups: Each sample's group, from 0. A group has one label and one source.
  ///   - labels: Each sample's label.
  ///   - sources: Each sample's source, from 0; nil: all are of one source.
  ///   - times: How often a bootstrap drew each group; nil: once each.
  package init(
    groups: [Int], labels: [FaceLabel], sources: [Int]? = nil, times: [Double]? = nil
  ) {
    precondition(groups.count == labels.count, "GroupWeights: \(groups.count), \(labels.count)")
    let sources = sources ?? Array(repeating: 0, count: groups.count)
    precondition(groups.count == sources.count, "GroupWeights: \(groups.count), \(sources.count)")
    var sizes = [Double](repeating: 0, count: (groups.max() ?? -1) + 1)
    for group in groups { sizes[group] += 1 }
    // A cell holds the samples of one source and one label; its index is 2 x source, plus 1 for
    // fakes.
    let cells = zip(sources, labels).map { 2 * $0 + ($1 == .fake ? 1 : 0) }
    let count = 2 * ((sources.max() ?? -1) + 1)
    var exists = [Bool](repeating: false, count: count)
    var totals = [Double](repeating: 0, count: count)
    var weights = [Double](repeating: 0, count: groups.count)
    for (index, group) in groups.enumerated() {
      weights[index] = (times?[group] ?? 1) / sizes[group]
      exists[cells[index]] = true
      totals[cells[index]] += weights[index]
    }
    let shares = Self.shares(exists, totals)
    let all = totals.reduce(0, +)
    for (index, cell) in cells.enumerated() where totals[cell] > 0 {
      weights[index] *= all * shares[cell] / totals[cell]
    }
    self.weights = weights
  }

  /// The weight of each cell; their sum is 1. A cell without drawn samples weighs nothing, and the
  /// others take over its weight.
  private static func shares(_ exists: [Bool], _ totals: [Double]) -> [Double] {
    var shares = [Double](repeating: 0, count: exists.count)
    for label in 0...1 {
      let own = stride(from: label, to: exists.count, by: 2).filter { exists[$0] }
      let single = Double(own.count { !exists[$0 ^ 1] })
      for cell in own where totals[cell] > 0 { shares[cell] = exists[cell ^ 1] ? 1 : 1 / single }
      let sum = own.reduce(0) { $0 + shares[$1] }
      for cell in own where sum > 0 { shares[cell] /= sum }
    }
    let present = shares.reduce(0, +)
    return present > 0 ? shares.map { $0 / present } : shares
  }
}
