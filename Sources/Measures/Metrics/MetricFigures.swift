/// Quality measures of probabilities, each with its bootstrap interval.
public struct MetricFigures: Sendable, Equatable {
  /// A measure with its interval from resampled groups; nil: no interval.
  public struct Figure: Sendable, Equatable {
    /// The value; NaN if it is not defined.
    public var value: Double
    /// The interval.
    public var interval: ClosedRange<Double>?

    /// Creates a figure.
    public init(_ value: Double, interval: ClosedRange<Double>? = nil) {
      self.value = value
      self.interval = interval
    }
  }

  /// The metrics that were computed, in order.
  public let metrics: [Metric]
  private let figures: [Figure]

  /// Computes metrics and their intervals.
  ///
  /// - Parameters:
  ///   - groups: The number of groups to resample.
  ///   - judgements: Returns the judgements, given how often each group was drawn; nil: once each.
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

  /// Computes intervals for custom values, such as differences.
  ///
  /// - Parameters:
  ///   - groups: The number of groups to resample.
  ///   - values: Returns a value for each of `metrics`, given how often each group was drawn; nil:
  ///     once each.
  package init(
    _ metrics: [Metric], groups: Int, _ bootstrap: GroupBootstrap, values: ([Double]?) -> [Double]
  ) {
    // A single group does not show how much groups vary.
    let intervals = groups > 1 ? bootstrap.intervals(groups: groups) { values($0) } : []
    self.metrics = metrics
    figures = values(nil).enumerated().map { index, value in
      Figure(value, interval: value.isNaN || intervals.isEmpty ? nil : intervals[index])
    }
  }

  /// The figure of a metric; NaN if it was not computed.
  public subscript(metric: Metric) -> Figure {
    metrics.firstIndex(of: metric).map { figures[$0] } ?? Figure(.nan)
  }

  /// All metrics with their figures.
  public var all: [(metric: Metric, figure: Figure)] { Array(zip(metrics, figures)) }
}
