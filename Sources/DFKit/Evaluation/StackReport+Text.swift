import DeepfakeCore
import Measures

extension StackReport {
  /// The report as text for the terminal.
  package var text: String {
    var table = TextTable(
      [.init("combination of the members, cross-validated")]
        + Self.metrics.map { .init($0.title) }
        + [.init("log loss minus the mean's"), .init("AUC minus the mean's")])
    for row in rows {
      table.add(
        [row.name] + row.figures.all.map(\.figure.text)
          + [Metric.logLoss, .auc].map { row.difference?[$0].text ?? "" })
    }
    let shares = zip(members, weights).map { "\($0) \($1.fixed(3))" }.joined(separator: ", ")
    return [
      "Weights of the members: \(real) real and \(fake) fake in \(groups) groups; sources count"
        + " equally, with half the weight for each label",
      "", table.text, "",
      "Weights of the stack, for the mean of log odds: \(shares).",
      isBetterThanMean
        ? "The stack is significantly better than the mean. For the recipe:"
        : "The stack is not significantly better than the mean, so the mean can be kept. To use the"
          + " stack anyway, for the recipe:",
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
