import Training

/// Two ways to judge the same files, against each other: groups are drawn for both at once, so that what makes files hard
/// for either does not hide a difference.
public struct Comparison: Sendable {
  /// The first's figures.
  public let first: MetricFigures
  /// The second's figures.
  public let second: MetricFigures
  /// The second's less the first's.
  public let difference: MetricFigures

  /// Judgements of two ways, whose groups have the same numbers.
  init(
    _ one: EvaluationUnits, _ other: EvaluationUnits, _ metrics: [Metric],
    _ bootstrap: GroupBootstrap
  ) {
    precondition(one.groupCount == other.groupCount, "Comparison: groups differ")
    first = one.figures(bootstrap, metrics)
    second = other.figures(bootstrap, metrics)
    difference = MetricFigures(
      metrics, groups: one.groupCount, bootstrap,
      values: { times in
        let (before, after) = (one.metrics(times), other.metrics(times))
        return metrics.map { $0.value(after) - $0.value(before) }
      })
  }
}
