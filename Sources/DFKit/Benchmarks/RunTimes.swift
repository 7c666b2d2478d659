/// The same measured several times: the middle, and how far the others lie from it.
package struct RunTimes: Sendable, Equatable {
  /// The values, in the order of the runs.
  package var runs: [Double]

  /// What the runs took.
  package init(_ runs: [Double]) {
    self.runs = runs
  }

  /// The least; 0 without runs, as the others.
  package var min: Double { quantile(0) }
  /// A quarter of the runs took less.
  package var lowerQuartile: Double { quantile(0.25) }
  /// Half of the runs took less.
  package var median: Double { quantile(0.5) }
  /// A quarter of the runs took more.
  package var upperQuartile: Double { quantile(0.75) }
  /// The most.
  package var max: Double { quantile(1) }

  /// The value below which that part of the runs lies, between neighbours in proportion (numpy's
  /// default).
  package func quantile(_ part: Double) -> Double {
    let sorted = runs.sorted()
    guard let last = sorted.indices.last else { return 0 }
    let place = part * Double(last)
    let below = Int(place)
    let fraction = place - Double(below)
    let above = Swift.min(below + 1, last)
    return sorted[below] + fraction * (sorted[above] - sorted[below])
  }

  /// The times multiplied by `factor`.
  func scaled(by factor: Double) -> RunTimes { RunTimes(runs.map { $0 * factor }) }

  /// The five numbers as JSON, to a thousandth.
  var json: JSON {
    func rounded(_ value: Double) -> JSON { .double((value * 1000).rounded() / 1000) }
    return [
      "min": rounded(min), "lowerQuartile": rounded(lowerQuartile), "median": rounded(median),
      "upperQuartile": rounded(upperQuartile), "max": rounded(max),
    ]
  }

  /// The columns that tables show them in.
  static func columns(_ unit: String) -> [TextTable.Column] {
    [
      .init("\(unit) min", .right), .init("lower q.", .right), .init("median", .right),
      .init("upper q.", .right), .init("max", .right),
    ]
  }

  /// The cells of those columns.
  var cells: [String] { [min, lowerQuartile, median, upperQuartile, max].map { $0.fixed(2) } }
}
