import Measures

extension EvaluationReport {
  /// The plots with their file names (without extension). A plot for which there are too few
  /// judgements is left out.
  package var plots: [(name: String, plot: any Plot)] {
    var plots: [(String, any Plot)] = []
    let shown = levels.filter { BinaryMetrics($0.judgements).ranking != nil }
    if !shown.isEmpty {
      plots.append(("roc", roc(shown)))
      plots.append(("precision-recall", precisionRecall(shown)))
    }
    let judged = levels.filter { !$0.judgements.isEmpty }
    if !judged.isEmpty {
      plots.append(("reliability", reliability(judged)))
    }
    for level in judged where level.level != .person {
      var histogram = HistogramPlot("Scores of \(level.level.title)", level.judgements)
      histogram.subtitle = "real above, fake below; a good detector separates them"
      plots.append(("scores-\(level.level.title)", histogram))
    }
    if let slices = slicePlot { plots.append(("slices", slices)) }
    return plots
  }

  private func roc(_ levels: [Level]) -> LinePlot {
    curves(
      "Receiver operating characteristic", x: "false positive rate: fraction of real called fake",
      y: "true positive rate: fraction of fakes found",
      levels.map { level in
        let curve = BinaryMetrics(level.judgements).ranking?.rocCurve ?? []
        return LinePlot.Series(
          "\(level.level.title), AUC \(level.all[.auc].value.fixed(3))",
          curve.map { LinePlot.Point($0.falseRate, $0.trueRate) })
      })
  }

  private func precisionRecall(_ levels: [Level]) -> LinePlot {
    curves(
      "Precision and recall", x: "recall: fraction of fakes found",
      y: "precision: fraction of those called fake that are fake",
      levels.map { level in
        let curve = BinaryMetrics(level.judgements).ranking?.precisionRecallCurve ?? []
        return LinePlot.Series(
          "\(level.level.title), AP \(level.all[.averagePrecision].value.fixed(3))",
          [LinePlot.Point(0, curve.first?.precision ?? 1)]
            + curve.map { LinePlot.Point($0.recall, $0.precision) }, isStepped: true)
      })
  }

  /// Curves in a square plot whose axes both run from 0 to 1.
  private func curves(
    _ title: String, x: String, y: String, _ series: [LinePlot.Series]
  ) -> LinePlot {
    var panel = LinePlot.Panel(y, series, scale: .linear(covering: 0...1), height: 420)
    panel.naming = .legend
    var plot = LinePlot(title, xTitle: x, panels: [panel])
    plot.hasWholeX = false
    plot.width = 560
    return plot
  }

  private func reliability(_ levels: [Level]) -> ReliabilityPlot {
    var plot = ReliabilityPlot(
      "Reliability", series: levels.prefix(3).map { .init($0.level.title, $0.judgements) })
    plot.subtitle = ["ten bins of equal number with Wilson's 95 % intervals"]
    return plot
  }

  private var slicePlot: IntervalPlot? {
    guard let all = levels.last?.all[.logLoss].value, !slices.isEmpty else { return nil }
    let groups = Facet.allCases.compactMap { facet in
      let own = slices.filter { $0.facet == facet }
      return own.isEmpty
        ? nil
        : IntervalPlot.Group(
          "by \(facet.title)",
          own.map { .init($0.value, note: "\($0.real) real, \($0.fake) fake", $0.videos[.logLoss]) }
        )
    }
    var plot = IntervalPlot("Log loss of videos by kind", axis: "log loss", groups)
    plot.reference = all
    return plot
  }
}
