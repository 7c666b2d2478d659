import Foundation
import Measures
import TestSupport
import Testing

/// Metrics against scikit-learn's (`Fixtures/make_metrics.py`).
@Suite struct BinaryMetricsTests {
  struct Golden: Decodable {
    var clip: Double
    var labels: [UInt8]
    var scores: [Double]
    var weights: [Double]
    var logLoss: Double
    var brier: Double
    var accuracy: Double
    var auc: Double?
    var averagePrecision: Double?
    var equalErrorRate: Double?

    /// Each figure, nil where there is none.
    var figures: [Metric: Double?] {
      [
        .logLoss: logLoss, .brier: brier, .accuracy: accuracy, .auc: auc,
        .averagePrecision: averagePrecision, .equalErrorRate: equalErrorRate,
      ]
    }
  }

  func isClose(_ found: Double, _ expected: Double, tolerance: Double = 1e-9) -> Bool {
    abs(found - expected) <= tolerance
  }

  @Test func metricsAreScikitLearns() throws {
    let cases = try JSONDecoder().decode(
      [String: Golden].self, from: Data(contentsOf: Paths.fixture("metrics.json")))
    #expect(cases.count == 13)
    for (name, golden) in cases {
      let judgements = try golden.scores.indices.map { index in
        Judgement(
          golden.scores[index], try #require(FaceLabel(rawValue: golden.labels[index])),
          weight: golden.weights[index])
      }
      // The order of judgements says nothing.
      for judgements in [
        judgements, judgements.reversed(), judgements.sorted { $0.score > $1.score },
      ] {
        let metrics = BinaryMetrics(judgements, clip: golden.clip)
        for (metric, expected) in golden.figures {
          let found = metric.value(metrics)
          if let expected {
            #expect(isClose(found, expected), "\(name), \(metric): \(found), not \(expected)")
          } else {
            #expect(found.isNaN, "\(name), \(metric): \(found)")
          }
        }
      }
    }
  }

  @Test func curvesRunFromCornerToCorner() throws {
    let judgements: [Judgement] = [
      .init(0.9, .fake), .init(0.8, .real), .init(0.8, .fake), .init(0.3, .real),
      .init(0.1, .real, weight: 0),
    ]
    let ranking = try #require(BinaryMetrics(judgements).ranking)
    #expect(ranking.rocCurve.map(\.falseRate) == [0, 0, 0.5, 1])
    #expect(ranking.rocCurve.map(\.trueRate) == [0, 0.5, 1, 1])
    #expect(ranking.precisionRecallCurve.map(\.recall) == [0.5, 1, 1])
    #expect(ranking.precisionRecallCurve.map(\.precision) == [1, 2.0 / 3, 0.5])
    #expect(ranking.steps.map(\.score) == [0.9, 0.8, 0.3])
  }

  @Test func sureMistakesAreClipped() {
    var metrics = BinaryMetrics()
    metrics.add(0, .fake)
    #expect(isClose(metrics.logLoss, -log(1e-15)))
    metrics.add(1, .real)
    #expect(isClose(metrics.logLoss, -log(1e-15), tolerance: 0.1))
    metrics.add(.infinity, .fake)
    #expect(metrics.logLoss.isFinite)
  }

  @Test func whatCannotBeSaidIsNaN() {
    var metrics = BinaryMetrics()
    #expect(metrics.logLoss.isNaN && metrics.accuracy.isNaN && metrics.auc.isNaN)
    metrics.add(0.3, .real)
    #expect(isClose(metrics.logLoss, -log(0.7)) && metrics.accuracy == 1)
    #expect(metrics.auc.isNaN && metrics.equalErrorRate.isNaN)
    metrics.add(0.6, .fake)
    #expect(metrics.auc == 1 && metrics.equalErrorRate == 0)
    metrics.add(.nan, .fake)
    #expect(
      metrics.logLoss.isNaN && metrics.accuracy.isNaN && metrics.auc.isNaN
        && metrics.equalErrorRate.isNaN)
  }

  @Test func equalScoresSayNothing() {
    var metrics = BinaryMetrics()
    for label in [FaceLabel.real, .fake, .fake] { metrics.add(0.5, label) }
    #expect(metrics.auc == 0.5 && metrics.equalErrorRate == 0.5)
  }

  @Test func groupsCountOnce() {
    var groups = GroupMeans<String>()
    for score in [0.1, 0.2, 0.6] { groups.add(score, .real, group: "a") }
    groups.add(0.9, .fake, group: "b")
    groups.add(0.7, .fake, group: "b")
    groups.add(0.4, .real, group: nil)
    groups.add(0.2, .real, group: nil)
    #expect(groups.count == 4)
    let metrics = groups.metrics()
    #expect(metrics.judgements.map(\.label) == [.real, .fake, .real, .real])
    expectClose(
      metrics.judgements.map { Float($0.score) }, [0.3, 0.8, 0.4, 0.2], tolerance: 1e-6)
    let losses = log(0.7) + log(0.8) + log(0.6) + log(0.8)
    #expect(isClose(metrics.logLoss, -losses / 4))
  }
}
