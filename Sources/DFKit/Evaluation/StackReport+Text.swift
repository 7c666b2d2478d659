import DeepfakeCore
import Training

extension StackReport {
  /// The report as text for the terminal.
  package var text: String {
    var table = TextTable(
      [.init("members put together, by others' fit")] + Self.metrics.map { .init($0.title) }
        + [.init("log loss less the mean's"), .init("AUC less the mean's")])
    for row in rows {
      table.add(
        [row.name] + row.figures.all.map(\.figure.text)
          + [Metric.logLoss, .auc].map { row.difference?[$0].text ?? "" })
    }
    let shares = zip(members, weights).map { "\($0) \($1.fixed(3))" }.joined(separator: ", ")
    return [
      "What members should count: \(real) real and \(fake) fake in \(groups) groups; sources"
        + " count equally, real and fake as"
        + " half each",
      "", table.text, "",
      "Weights of the stack, in the mean of log odds: \(shares).",
      isBetterThanMean
        ? "The stack is surely better than the mean. For the recipe:"
        : "The stack is not surely better than the mean, which can be kept. If it is to be taken,"
          + " for the recipe:",
      "", recipe,
    ].joined(separator: "\n")
  }

  /// The lines of the recipe that use these weights, as YAML.
  package var recipe: String {
    let lines = zip(members, weights).map { name, weight in
      "  - {name: \(name), ..., weight: \(weight.fixed(3))}"
    }
    return
      (["members:"] + lines + [
        "aggregation:", "  models: mean-logit",
        "  calibration: {scale: \(calibration.scale.fixed(6)), offset:"
          + " \(calibration.offset.fixed(6))}",
      ]).joined(separator: "\n")
  }

  /// The report as `dfkit evaluate --json` prints it (see `Docs/Formats.md`).
  package var json: JSON {
    [
      "real": .integer(real), "fake": .integer(fake), "groups": .integer(groups),
      "weights": .array(
        zip(members, weights).map { ["name": .string($0), "weight": .double($1)] }),
      "calibration": [
        "scale": .double(calibration.scale), "offset": .double(calibration.offset),
      ],
      "isBetterThanMean": .bool(isBetterThanMean),
      "rows": .array(
        rows.map {
          [
            "way": .string($0.name), "videos": $0.figures.json,
            "difference": $0.difference?.json ?? .null,
          ]
        }),
    ]
  }
}
