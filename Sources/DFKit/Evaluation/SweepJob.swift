import FaceData
import Foundation
import Measures
import MediaIO

/// Measures how the figures change as footage gets worse: the work of `dfkit evaluate --sweep`.
package struct SweepJob {
  /// The figures under one degradation.
  package struct Row: Sendable {
    /// The kind of degradation, as in `Degradation.sweeps`.
    package var sweep: String
    /// The degradation that was applied.
    package var degradation: Degradation
    /// The figures of all videos. A video without a probability counts as 0.5.
    package var videos: MetricFigures
    /// The fraction of videos that was decided as real or fake, 0 to 1.
    package var coverage: Double
  }

  /// The evaluation to repeat. Its cache is off, since scores of degraded copies are not stored.
  package var job: EvaluationJob
  /// Draws groups for the confidence intervals.
  package var bootstrap = GroupBootstrap()

  package init(_ job: EvaluationJob) {
    self.job = job
    self.job.cache = nil
  }

  /// Judges the files of an evaluation again under each degradation. Files that are not in
  /// `original` are skipped.
  ///
  /// - Parameter original: The judged files without degradation.
  /// - Throws: The errors of `EvaluationJob.judge`, `MediaError` if a file cannot be read or
  ///   copied, and `CancellationError` in a cancelled task.
  package func run(
    _ media: MediaFiles, _ labels: DatasetLabels, original: [EvaluatedFile],
    progress: (JobProgress) -> Void = { _ in }
  ) throws -> [Row] {
    let maker = try job.maker()
    let known = Dictionary(original.map { ($0.name, $0) }) { first, _ in first }
    let files = media.files.filter { known[$0.relativePath] != nil }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "dfkit-sweep-\(UInt64.random(in: 0...(.max)))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var predictor = try VideoPredictor(
      recipe: job.recipe, weights: job.weights,
      detectorWeights: job.detectorWeights ?? .file(folder))
    predictor.view = job.view
    var rows: [Row] = []
    let steps = Degradation.sweeps.flatMap { sweep in sweep.steps.map { (sweep.name, $0) } }
    let total = steps.count * files.count
    for (number, (name, degradation)) in steps.enumerated() {
      var judged: [EvaluatedFile] = []
      for (place, file) in files.enumerated() {
        try Task.checkCancellation()
        guard var evaluated = known[file.relativePath] else { continue }
        progress(
          JobProgress(
            done: number * files.count + place, total: total,
            file: "\(name) \(degradation.label): \(file.relativePath)", fraction: 0))
        if degradation.needsCopy {
          let copy = try degradation.copy(file, into: folder)
          defer { try? FileManager.default.removeItem(at: copy) }
          evaluated.report = try predictor.predict(copy)
        } else if !degradation.isIdentity {
          var changed = predictor
          changed.retouch = { degradation.changed($0, index: $1) }
          evaluated.report = try changed.predict(file)
        }
        maker.decide(&evaluated.report)
        judged.append(evaluated)
      }
      let units = EvaluationUnits(judged, .video, maker)
      let answered = EvaluationUnits(judged, .video, maker, undecided: .leftOut)
      rows.append(
        Row(
          sweep: name, degradation: degradation,
          videos: units.figures(bootstrap, Ablation.metrics),
          coverage: Double(answered.judgements.count) / Double(max(1, units.judgements.count))))
    }
    return rows
  }
}

extension [SweepJob.Row] {
  /// The rows as a table for the terminal.
  public var text: String {
    var table = TextTable(
      [.init("degraded by"), .init("to", .right), .init("coverage", .right)]
        + Ablation.metrics.map { .init($0.title) })
    for row in self {
      table.add(
        [row.sweep, row.degradation.label, "\((100 * row.coverage).fixed(0)) %"]
          + Ablation.metrics.map { row.videos[$0].text })
    }
    return table.text
  }

  /// The rows as JSON.
  package var json: JSON {
    .array(
      map {
        [
          "sweep": .string($0.sweep), "strength": .double($0.degradation.strength),
          "coverage": .double($0.coverage), "videos": $0.videos.json,
        ]
      })
  }

  /// A plot of the log losses with their intervals, grouped by kind of degradation.
  package var plot: IntervalPlot {
    let groups = Degradation.sweeps.compactMap { sweep in
      let own = filter { $0.sweep == sweep.name }
      return own.isEmpty
        ? nil
        : IntervalPlot.Group(
          "\(sweep.name) (\(sweep.unit))",
          own.map { .init($0.degradation.label, $0.videos[.logLoss]) })
    }
    return IntervalPlot("Log loss of degraded videos", axis: "log loss of videos", groups)
  }
}
