import Training

/// Two ways to judge the same files, against each other: groups are drawn for both at once, so that
/// what makes files hard for either does not hide a difference.
package struct Comparison: Sendable {
  /// The first's figures.
  package let first: MetricFigures
  /// The second's figures.
  package let second: MetricFigures
  /// The second's less the first's.
  package let difference: MetricFigures

  /// Two ways to judge the same files, by their probability, 0.5 where there is none. Files that
  /// only one of them judged are left out.
  ///
  /// - Throws: `DatasetError` where no file was judged by both.
  package init(
    _ first: [EvaluatedFile], _ maker: VerdictMaker, _ second: [EvaluatedFile],
    _ otherMaker: VerdictMaker, _ metrics: [Metric] = Metric.allCases,
    _ bootstrap: GroupBootstrap = .init()
  ) throws(DatasetError) {
    let common = Set(first.map(\.name)).intersection(second.map(\.name))
    guard !common.isEmpty else {
      throw .impossible(problem: "there is no file that both recipes judged")
    }
    // In one order, so that groups get the same numbers.
    func judged(_ files: [EvaluatedFile]) -> [EvaluatedFile] {
      files.filter { common.contains($0.name) }.sorted { $0.name < $1.name }
    }
    self.init(
      EvaluationUnits(judged(first), .video, maker),
      EvaluationUnits(judged(second), .video, otherMaker), metrics, bootstrap)
  }

  /// Judgements of two ways, whose groups have the same numbers.
  init(
    _ one: EvaluationUnits, _ other: EvaluationUnits, _ metrics: [Metric],
    _ bootstrap: GroupBootstrap
  ) {
    first = one.figures(bootstrap, metrics)
    second = other.figures(bootstrap, metrics)
    difference = other.difference(from: one, bootstrap, metrics)
  }
}

extension EvaluationUnits {
  /// How much these figures exceed others', whose groups have the same numbers.
  func difference(
    from other: EvaluationUnits, _ bootstrap: GroupBootstrap, _ metrics: [Metric]
  ) -> MetricFigures {
    precondition(groupCount == other.groupCount, "EvaluationUnits: groups differ")
    return MetricFigures(
      metrics, groups: groupCount, bootstrap,
      values: { times in
        let (before, after) = (other.metrics(times), self.metrics(times))
        return metrics.map { $0.value(after) - $0.value(before) }
      })
  }
}
