import Training

extension [Ablation.Row] {
  /// The rows as one table for people; what is surely better or worse than the recipe is marked.
  public var text: String {
    var table = TextTable(
      [.init("choice"), .init("setting")] + Ablation.metrics.map { .init($0.title) }
        + [.init("log loss less the recipe's"), .init("")])
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

  /// The log losses as a picture.
  package var plot: IntervalPlot {
    let groups = Ablation.Kind.allCases.compactMap { kind in
      let own = filter { $0.kind == kind }
      return own.isEmpty
        ? nil
        : IntervalPlot.Group(
          kind.rawValue,
          own.map { .init($0.setting, note: $0.difference[.logLoss].word, $0.videos[.logLoss]) })
    }
    var plot = IntervalPlot("What each choice is worth", axis: "log loss of videos", groups)
    plot.reference = first(where: \.isRecipe)?.videos[.logLoss].value
    return plot
  }
}

extension MetricFigures.Figure {
  /// What a difference of losses says, in a word; empty where 0 is in its interval.
  fileprivate var word: String {
    guard let interval else { return "" }
    // What is printed as 0.000 is no difference.
    return interval.upperBound < -0.0005 ? "better" : interval.lowerBound > 0.0005 ? "worse" : ""
  }
}

extension Comparison {
  /// Both with their difference, for people.
  package func text(_ names: (String, String)) -> String {
    var table = TextTable(
      [.init("videos")] + first.metrics.map { .init($0.title) })
    table.add([names.0] + first.all.map(\.figure.text))
    table.add([names.1] + second.all.map(\.figure.text))
    table.add(["difference"] + difference.all.map(\.figure.text))
    return table.text
  }

  /// Both with their difference.
  package var json: JSON {
    ["first": first.json, "second": second.json, "difference": difference.json]
  }
}
