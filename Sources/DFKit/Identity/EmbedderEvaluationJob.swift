import Classifiers
import DeepfakeCore
import Foundation
import Training

/// Evaluates an embedder on held-out people: the work of `dfkit identity evaluate`.
package struct EmbedderEvaluationJob: Sendable {
  /// Folders with a `manifest.csv`, or CSV files. Use the training's own manifests, so that the
  /// same people are held out.
  package var data: [URL]
  /// The embedder's weights; nil: the embedder that ships with dfkit.
  package var embedder: URL?
  /// The random seed and the false-link rate of the evaluation.
  package var evaluation: EmbedderEvaluation

  package init(data: [URL], embedder: URL? = nil, evaluation: EmbedderEvaluation = .init()) {
    self.data = data
    self.embedder = embedder
    self.evaluation = evaluation
  }

  /// The results of an embedder on held-out people.
  package struct Report: Sendable {
    /// The embedder's name.
    package var embedder: String
    /// The look-alike threshold stored in the embedder's weights.
    package var ownThreshold: Float
    /// The false-link rate for which `result.threshold` was chosen.
    package var falseLinkRate: Double
    package var result: EmbedderEvaluation.Result
  }

  /// Computes embeddings and compares the pairs.
  ///
  /// - Throws: `DatasetError` if the data cannot be used, `WeightsError` and `ClassifierError` if
  ///   the embedder cannot, and `CancellationError` in a cancelled task.
  package func run() throws -> Report {
    let split = try EmbedderTrainingJob.split(data)
    let embedder = try FaceEmbedders.load(self.embedder)
    let result = try evaluation.run(
      embedder, heldOut: IdentityData(split.heldOut), training: IdentityData(split.training))
    return Report(
      embedder: embedder.name, ownThreshold: embedder.lookAlikeThreshold,
      falseLinkRate: evaluation.falseLinkRate, result: result)
  }

  /// Writes the weights of a look-alike network to a new file with this threshold, as f16.
  ///
  /// - Throws: `WeightsError` and `ClassifierError` if the weights cannot be read or written.
  ///   `TrainingError.unusable` if `embedder` is nil or another kind of network.
  package func write(threshold: Float, to url: URL) throws {
    guard let embedder else {
      throw TrainingError.unusable(
        problem: "the built-in weights already have a threshold; name a weights file")
    }
    let state = try StateDict.read(embedder)
    guard try FaceEmbedders.embedder(state) is LookAlikeEmbedder else {
      throw TrainingError.unusable(
        problem: "\(embedder.relativePath): only the file of a look-alike network has a threshold")
    }
    var metadata = try ModelMetadata(state)
    metadata.other[LookAlikeEmbedder.thresholdEntry] = "\(threshold)"
    try state.write(safetensors: url, metadata: metadata.entries, dtype: .f16)
  }
}

extension EmbedderEvaluationJob.Report {
  private var thresholds: [Float] {
    ownThreshold == result.threshold ? [ownThreshold] : [ownThreshold, result.threshold]
  }

  private var verifications: [Verification] { [result.views, result.neighbours, result.people] }

  /// The tables that `dfkit identity evaluate` prints.
  package var text: String {
    var table = TextTable(
      [
        .init("pairs of one face"), .init("same", .right), .init("different", .right),
        .init("AUC", .right), .init("TPR at FPR 1e-3", .right), .init("1e-4", .right),
      ] + thresholds.map { .init("found at \($0.text)", .right) })
    for verification in verifications where verification.same.total > 0 {
      table.add(
        [
          verification.name, "\(verification.same.total)", "\(verification.different.total)",
          verification.auc.fixed(4), verification.trueRate(atFalseRate: 1e-3).fixed(3),
          verification.trueRate(atFalseRate: 1e-4).fixed(3),
        ] + thresholds.map { verification.same.share(atLeast: $0).fixed(3) })
    }
    var lines = ["look-alike scores of \(embedder) on people held out", "", table.text, ""]
    for threshold in thresholds {
      let count = result.strangers.count(atLeast: threshold)
      lines.append(
        "threshold \(threshold.text): \(count) of \(result.strangers.total) pairs of different"
          + " people are at least as similar"
          + (threshold == ownThreshold ? " (the embedder's own)" : ""))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The report as JSON, with the most similar pictures of different people.
  package var json: JSON {
    func rounded(_ value: Double) -> JSON { .double((value * 1e6).rounded() / 1e6) }
    let pairs = verifications.map { verification -> JSON in
      [
        "name": .string(verification.name), "same": .integer(verification.same.total),
        "different": .integer(verification.different.total), "auc": rounded(verification.auc),
        "tprAtFpr1e-3": rounded(verification.trueRate(atFalseRate: 1e-3)),
        "tprAtFpr1e-4": rounded(verification.trueRate(atFalseRate: 1e-4)),
        "found": .array(
          thresholds.map {
            [
              "threshold": .number($0), "same": rounded(verification.same.share(atLeast: $0)),
              "different": rounded(verification.different.share(atLeast: $0)),
            ]
          }),
      ]
    }
    return [
      "embedder": .string(embedder), "threshold": .number(ownThreshold),
      "falseLinkRate": .double(falseLinkRate),
      "thresholdAtFalseLinkRate": .number(result.threshold), "verification": .array(pairs),
      "strangers": [
        "pairs": .integer(result.strangers.total),
        "found": .array(
          thresholds.map {
            [
              "threshold": .number($0),
              "pairs": .integer(result.strangers.count(atLeast: $0)),
            ]
          }),
      ],
      "mostAlikeStrangers": .array(
        result.worst.map {
          [
            "first": .string($0.first), "second": .string($0.second),
            "similarity": .number($0.similarity),
          ]
        }),
    ]
  }

  /// A plot of how many pairs have each similarity, on a logarithmic scale.
  package var plot: LinePlot {
    let bins = 80
    func line(_ name: String, _ histogram: SimilarityHistogram) -> LinePlot.Series {
      LinePlot.Series(
        name,
        histogram.shares(bins: bins).enumerated().map {
          LinePlot.Point((Double($0) + 0.5) * 2 / Double(bins) - 1, $1 == 0 ? .nan : $1)
        })
    }
    var panel = LinePlot.Panel("share", [], scale: .logarithmic)
    for (name, verification) in [
      ("views", result.views), ("neighbours", result.neighbours), ("person", result.people),
    ] where verification.same.total > 0 {
      panel.series.append(line(name, verification.same))
    }
    panel.series.append(line("strangers", result.strangers))
    panel.naming = .legend
    var plot = LinePlot(
      "Look-alike scores of pairs of one face and of strangers", xTitle: "similarity",
      panels: [panel])
    plot.subtitle =
      "\(embedder), people held out; share of the pairs in steps of"
      + " \((2 / Double(bins)).fixed(3))"
    plot.hasWholeX = false
    return plot
  }
}

extension Float {
  fileprivate var text: String { Double(self).fixed(4) }
}
