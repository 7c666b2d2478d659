/// The values of one measurement over several runs, with their quartiles.
package struct RunTimes: Sendable, Equatable {
  /// The values, in the order of the runs.
  package var runs: [Double]

  package init(_ runs: [Double]) {
    self.runs = runs
  }

  /// The smallest value; 0 if there are no runs, as for the other quantiles.
  package var min: Double { quantile(0) }
  /// The lower quartile: a quarter of the values are smaller.
  package var lowerQuartile: Double { quantile(0.25) }
  /// The middle value: half of the values are smaller.
  package var median: Double { quantile(0.5) }
  /// The upper quartile: a quarter of the values are larger.
  package var upperQuartile: Double { quantile(0.75) }
  /// The largest value; 0 if there are no runs.
  package var max: Double { quantile(1) }

  /// The value at the fraction `part` (0 to 1) of the sorted runs, interpolated linearly between
  /// neighbours as numpy does by default.
  package func quantile(_ part: Double) -> Double {
    let sorted = runs.sorted()
    guard let last = sorted.indices.last else { return 0 }
    let place = part * Double(last)
    let below = Int(place)
    let fraction = place - Double(below)
    let above = Swift.min(below + 1, last)
    return sorted[below] + fraction * (sorted[above] - sorted[below])
  }

  /// All values multiplied by `factor`.
  func scaled(by factor: Double) -> RunTimes { RunTimes(runs.map { $0 * factor }) }

  /// Minimum, quartiles and maximum as JSON, rounded to three decimals.
  var json: JSON {
    func rounded(_ value: Double) -> JSON { .double((value * 1000).rounded() / 1000) }
    return [
      "min": rounded(min), "lowerQuartile": rounded(lowerQuartile), "median": rounded(median),
      "upperQuartile": rounded(upperQuartile), "max": rounded(max),
    ]
  }

  /// Table columns for minimum, quartiles and maximum.
  static func columns(_ unit: String) -> [TextTable.Column] {
    [
      .init("\(unit) min", .right), .init("lower q.", .right), .init("median", .right),
      .init("upper q.", .right), .init("max", .right),
    ]
  }

  /// The cells for those columns, with two decimals.
  var cells: [String] { [min, lowerQuartile, median, upperQuartile, max].map { $0.fixed(2) } }
}
