import Measures

extension MetricFigures {
  /// An object with the figures by name, each with `value` and `interval`.
  var json: JSON {
    .object(all.map { .init(key: $0.metric.rawValue, value: $0.figure.json) })
  }
}

extension MetricFigures.Figure {
  /// The figure and its interval with three decimals, as `0.912 (0.880 to 0.940)`; `-` if it is
  /// undefined.
  var text: String {
    guard !value.isNaN else { return "-" }
    let range = interval.map { " (\($0.lowerBound.fixed(3)) to \($0.upperBound.fixed(3)))" }
    return value.fixed(3) + (range ?? "")
  }

  /// An object with `value`, null if the figure is undefined, and `interval`, null if there is
  /// none.
  var json: JSON {
    [
      "value": value.isNaN ? .null : .double(value),
      "interval": interval.map { .array([.double($0.lowerBound), .double($0.upperBound)]) }
        ?? .null,
    ]
  }
}
