import FaceData
import Measures

/// Compares two recipes on the same files. The bootstrap draws the same groups for both, so that
/// files that are hard for both do not hide a difference.
package struct Comparison: Sendable {
  /// The figures of the first recipe.
  package let first: MetricFigures
  /// The figures of the second recipe.
  package let second: MetricFigures
  /// The second's figures minus the first's.
  package let difference: MetricFigures

  /// Compares by the probability of each file; a file without one counts as 0.5. Files that only
  /// one recipe has judged are left out.
  ///
  /// - Throws: `DatasetError` if no file was judged by both.
  package init(
    _ first: [EvaluatedFile], _ maker: VerdictMaker, _ second: [EvaluatedFile],
    _ otherMaker: VerdictMaker, _ metrics: [Metric] = Metric.allCases,
    _ bootstrap: GroupBootstrap = .init()
  ) throws(DatasetError) {
    let common = Set(first.map(\.name)).intersection(second.map(\.name))
    guard !common.isEmpty else {
      throw .impossible(problem: "there is no file that both recipes judged")
    }
    // Sort by name, so that groups get the same numbers in both.
    func judged(_ files: [EvaluatedFile]) -> [EvaluatedFile] {
      files.filter { common.contains($0.name) }.sorted { $0.name < $1.name }
    }
    self.init(
      EvaluationUnits(judged(first), .video, maker),
      EvaluationUnits(judged(second), .video, otherMaker), metrics, bootstrap)
  }

  /// Compares two sets of judgements in which groups have the same numbers.
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
  /// These figures minus those of `other`, in which groups must have the same numbers.
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
