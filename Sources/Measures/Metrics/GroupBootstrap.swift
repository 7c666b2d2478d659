import DeepfakeCore

/// Intervals for figures that are measured on groups of samples that are not independent of each
/// other, such as the frames of one video: whole groups are drawn anew, with replacement, and the
/// figure is taken of each draw (Efron and Tibshirani 1993, percentile intervals).
package struct GroupBootstrap: Sendable {
  package var draws: Int
  /// Where the draws come from.
  package var seed: UInt64
  /// The part of the draws that an interval covers.
  package var level: Double

  /// A thousand draws and 95 % unless told otherwise.
  package init(draws: Int = 1000, seed: UInt64 = 1, level: Double = 0.95) {
    precondition(draws > 1 && level > 0 && level < 1, "GroupBootstrap: \(draws), \(level)")
    self.draws = draws
    self.seed = seed
    self.level = level
  }

  /// The interval of each figure that `figures` returns; nil where a figure is not finite in a
  /// tenth of the draws or more.
  ///
  /// - Parameters:
  ///   - groups: the number of groups.
  ///   - figures: given how often each group was drawn, the same number of figures each time.
  package func intervals(
    groups: Int, _ figures: ([Double]) -> [Double]
  ) -> [ClosedRange<Double>?] {
    guard groups > 0 else { return [] }
    var values: [[Double]] = []
    for draw in 0..<draws {
      var generator = SeededGenerator(seed: seed, label: "bootstrap \(draw)")
      var times = [Double](repeating: 0, count: groups)
      for _ in 0..<groups { times[Int.random(in: 0..<groups, using: &generator)] += 1 }
      let found = figures(times)
      if values.isEmpty { values = found.map { _ in [] } }
      precondition(found.count == values.count, "GroupBootstrap: \(found.count) figures")
      for (index, value) in found.enumerated() where value.isFinite { values[index].append(value) }
    }
    return values.map(interval)
  }

  private func interval(_ values: [Double]) -> ClosedRange<Double>? {
    guard values.count * 10 > draws * 9 else { return nil }
    let sorted = values.sorted()
    func quantile(_ part: Double) -> Double {
      let place = part * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    return quantile((1 - level) / 2)...quantile((1 + level) / 2)
  }
}
