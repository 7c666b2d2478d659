/// What samples count so that groups count equally within a source and a label, sources equally
/// within a label, and both labels as half.
///
/// Sources of one label only, such as collections of real faces, take part as one more source, in
/// which each of them counts the same; its other label is that of all other sources. Without
/// sources, all samples are of one.
package struct GroupWeights: Sendable {
  /// The weight of each sample; together as much as there are groups.
  package let weights: [Double]

  /// Weights for samples of groups.
  ///
  /// - Parameters:
  ///   - groups: each sample's group, from 0; a group has one label and one source.
  ///   - labels: each sample's label.
  ///   - sources: each sample's source, from 0; nil where all are of one.
  ///   - times: how often each group counts, as a bootstrap draws them; once each if nil.
  package init(
    groups: [Int], labels: [FaceLabel], sources: [Int]? = nil, times: [Double]? = nil
  ) {
    precondition(groups.count == labels.count, "GroupWeights: \(groups.count), \(labels.count)")
    let sources = sources ?? Array(repeating: 0, count: groups.count)
    precondition(groups.count == sources.count, "GroupWeights: \(groups.count), \(sources.count)")
    var sizes = [Double](repeating: 0, count: (groups.max() ?? -1) + 1)
    for group in groups { sizes[group] += 1 }
    // A cell is what one source has of one label: its place is 2 x source, plus 1 for fakes.
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

  /// What each cell counts, of 1; a cell that no draw has a sample of counts nothing, and the
  /// others count for it.
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
