/// What samples count so that each group counts as one and both labels as half.
public struct GroupWeights: Sendable {
  /// The weight of each sample; together as much as there are groups.
  public let weights: [Double]

  /// Weights for samples of groups.
  ///
  /// - Parameters:
  ///   - groups: each sample's group, from 0; a group has one label.
  ///   - labels: each sample's label.
  ///   - times: how often each group counts, as a bootstrap draws them; once each if nil.
  public init(groups: [Int], labels: [FaceLabel], times: [Double]? = nil) {
    precondition(groups.count == labels.count, "GroupWeights: \(groups.count), \(labels.count)")
    let count = (groups.max() ?? -1) + 1
    var sizes = [Double](repeating: 0, count: count)
    for group in groups { sizes[group] += 1 }
    var totals = [FaceLabel: Double]()
    var weights = [Double](repeating: 0, count: groups.count)
    for (index, group) in groups.enumerated() {
      weights[index] = (times?[group] ?? 1) / sizes[group]
      totals[labels[index], default: 0] += weights[index]
    }
    let all = totals.values.reduce(0, +)
    let present = Double(totals.values.count { $0 > 0 })
    for index in weights.indices {
      let share = totals[labels[index]] ?? 0
      if share > 0 { weights[index] *= all / present / share }
    }
    self.weights = weights
  }
}
