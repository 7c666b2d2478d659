/// Figures that tell how good probabilities are, each with its interval.
public struct MetricFigures: Sendable, Equatable {
  /// A figure with its interval, from whole groups drawn anew; nil where there is none.
  public struct Figure: Sendable, Equatable {
    /// The figure; NaN where it cannot be said.
    public var value: Double
    /// Its interval.
    public var interval: ClosedRange<Double>?

    /// A figure.
    public init(_ value: Double, interval: ClosedRange<Double>? = nil) {
      self.value = value
      self.interval = interval
    }
  }

  /// What was measured, in order.
  public let metrics: [Metric]
  private let figures: [Figure]

  /// Measures.
  ///
  /// - Parameters:
  ///   - groups: the number of groups that are drawn.
  ///   - judgements: the judgements, given how often each group counts; nil is once each.
  package init(
    _ metrics: [Metric] = Metric.allCases, groups: Int, _ bootstrap: GroupBootstrap,
    _ judgements: ([Double]?) -> BinaryMetrics
  ) {
    self.init(
      metrics, groups: groups, bootstrap,
      values: { times in
        let measured = judgements(times)
        return metrics.map { $0.value(measured) }
      })
  }

  /// Takes figures of one's own, such as differences.
  ///
  /// - Parameters:
  ///   - groups: the number of groups that are drawn.
  ///   - values: a value for each of `metrics`, given how often each group counts; nil is once
  ///     each.
  package init(
    _ metrics: [Metric], groups: Int, _ bootstrap: GroupBootstrap, values: ([Double]?) -> [Double]
  ) {
    // One group says nothing about how others would differ.
    let intervals = groups > 1 ? bootstrap.intervals(groups: groups) { values($0) } : []
    self.metrics = metrics
    figures = values(nil).enumerated().map { index, value in
      Figure(value, interval: value.isNaN || intervals.isEmpty ? nil : intervals[index])
    }
  }

  /// The figure; NaN for what was not measured.
  public subscript(metric: Metric) -> Figure {
    metrics.firstIndex(of: metric).map { figures[$0] } ?? Figure(.nan)
  }

  /// All figures with what they measure.
  public var all: [(metric: Metric, figure: Figure)] { Array(zip(metrics, figures)) }
}
