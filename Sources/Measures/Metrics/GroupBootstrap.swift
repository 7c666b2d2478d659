import DeepfakeCore

/// Bootstrap intervals for figures measured on groups of dependent samples, such as the frames of
/// one video. Whole groups are resampled with replacement, and the figure is computed for each
/// resample (percentile intervals, Efron and Tibshirani 1993).
package struct GroupBootstrap: Sendable {
  /// The number of resamples.
  package var draws: Int
  /// The random seed of the resampling.
  package var seed: UInt64
  /// The fraction of the resamples that an interval covers.
  package var level: Double

  /// Creates a bootstrap; by default of 1000 resamples and 95 % intervals.
  package init(draws: Int = 1000, seed: UInt64 = 1, level: Double = 0.95) {
    precondition(draws > 1 && level > 0 && level < 1, "GroupBootstrap: \(draws), \(level)")
    self.draws = draws
    self.seed = seed
    self.level = level
  }

  /// The interval of each figure that `figures` returns; nil if a figure is not finite in a tenth
  /// of the resamples or more. Empty if there are no groups.
  ///
  /// - Parameters:
  ///   - groups: The number of groups.
  ///   - figures: Computes the figures, given how often each group was drawn. It must always return
  ///     the same number of figures.
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
