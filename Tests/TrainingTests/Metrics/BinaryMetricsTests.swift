import Foundation
import TestSupport
import Testing
import Training

/// Metrics against scikit-learn's (`Fixtures/make_optimisation.py`).
@Suite struct BinaryMetricsTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      var clip: Double
      var labels: [UInt8]
      var scores: [Double]
      var logLoss: Double
      var accuracy: Double
      var auc: Double
      var equalErrorRate: Double
    }
    var scores: [String: Case]
  }

  func isClose(_ found: Double, _ expected: Double, tolerance: Double = 1e-6) -> Bool {
    abs(found - expected) <= tolerance
  }

  @Test(arguments: ["smooth", "ties", "few", "clipped", "separable", "reversed"])
  func metricsAreScikitLearns(_ name: String) throws {
    let fixture = try JSONDecoder().decode(
      Fixture.self, from: Data(contentsOf: Paths.fixture("optimisation.json")))
    let golden = try #require(fixture.scores[name])
    var metrics = BinaryMetrics(clip: golden.clip)
    for (score, label) in zip(golden.scores, golden.labels) {
      metrics.add(score, try #require(FaceLabel(rawValue: label)))
    }
    #expect(metrics.count == golden.labels.count)
    #expect(isClose(metrics.logLoss, golden.logLoss), "\(metrics.logLoss) \(golden.logLoss)")
    #expect(isClose(metrics.accuracy, golden.accuracy))
    #expect(isClose(metrics.auc, golden.auc), "\(metrics.auc) \(golden.auc)")
    #expect(
      isClose(metrics.equalErrorRate, golden.equalErrorRate),
      "\(metrics.equalErrorRate) \(golden.equalErrorRate)")
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
