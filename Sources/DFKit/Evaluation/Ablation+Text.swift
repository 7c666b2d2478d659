import Measures

extension [Ablation.Row] {
  /// The rows as a table for the terminal. A row whose log loss differs clearly from the recipe's
  /// (0 is outside the interval) is marked better or worse.
  public var text: String {
    var table = TextTable(
      [.init("choice"), .init("setting")] + Ablation.metrics.map { .init($0.title) }
        + [.init("log loss minus the recipe's"), .init("")])
    for row in self {
      let loss = row.difference[.logLoss]
      table.add(
        [row.kind.rawValue, row.setting] + Ablation.metrics.map { row.videos[$0].text }
          + (row.isRecipe ? ["", ""] : [loss.text, loss.word]))
    }
    return table.text
  }

  /// The rows as JSON.
  package var json: JSON {
    .array(
      map {
        [
          "choice": .string($0.kind.rawValue), "setting": .string($0.setting),
          "isRecipe": .bool($0.isRecipe), "videos": $0.videos.json,
          "difference": $0.difference.json,
        ]
      })
  }

  /// A plot of the log losses with their intervals, grouped by choice; a line marks the recipe's.
  package var plot: IntervalPlot {
    let groups = Ablation.Kind.allCases.compactMap { kind in
      let own = filter { $0.kind == kind }
      return own.isEmpty
        ? nil
        : IntervalPlot.Group(
          kind.rawValue,
          own.map { .init($0.setting, note: $0.difference[.logLoss].word, $0.videos[.logLoss]) })
    }
    var plot = IntervalPlot("The effect of each choice", axis: "log loss of videos", groups)
    plot.reference = first(where: \.isRecipe)?.videos[.logLoss].value
    return plot
  }
}

extension MetricFigures.Figure {
  /// "better" or "worse" for a difference of losses; empty if 0 is in its interval or there is
  /// none.
  fileprivate var word: String {
    guard let interval else { return "" }
    // A bound that prints as 0.000 counts as 0.
    return interval.upperBound < -0.0005 ? "better" : interval.lowerBound > 0.0005 ? "worse" : ""
  }
}

extension Comparison {
  /// The figures of both and their difference as a table, with `names` for the first and second
  /// row.
  package func text(_ names: (String, String)) -> String {
    var table = TextTable(
      [.init("videos")] + first.metrics.map { .init($0.title) })
    table.add([names.0] + first.all.map(\.figure.text))
    table.add([names.1] + second.all.map(\.figure.text))
    table.add(["difference"] + difference.all.map(\.figure.text))
    return table.text
  }

  /// The figures of both and their difference, as `first`, `second` and `difference`.
  package var json: JSON {
    ["first": first.json, "second": second.json, "difference": difference.json]
  }
}
