import DeepfakeCore
import Foundation
import Measures
import TestSupport
import Testing

@Suite("Calibration: what is measured")
struct ReliabilityTests {
  private func isClose(_ found: Double, _ expected: Double) -> Bool {
    abs(found - expected) <= 1e-9
  }

  @Test func theCalibrationErrorIsThatOfWeightedBins() throws {
    let golden = try CalibrationGolden.read()
    let found = BinaryMetrics(golden.fits[0].judgements).calibrationError()
    #expect(isClose(found, golden.scores.calibrationError))
  }

  @Test func binsAreThoseOfScikitLearn() throws {
    let golden = try CalibrationGolden.read()
    let plain = golden.fits[0].judgements.map { Judgement($0.score, $0.label) }
    for (division, curve) in [
      (ReliabilityBins.Division.equalCount(10), golden.scores.equalCount),
      (.equalWidth(10), golden.scores.equalWidth),
    ] {
      let bins = ReliabilityBins(plain, division).bins
      #expect(bins.count == 10)
      for (bin, (share, probability)) in zip(bins, zip(curve.shares, curve.probabilities)) {
        #expect(isClose(bin.share, share) && isClose(bin.probability, probability), "\(bin)")
        #expect(bin.range.contains(bin.probability) && bin.interval.contains(bin.share), "\(bin)")
      }
      #expect(bins.reduce(0) { $0 + $1.count } == plain.count)
    }
  }

  @Test func intervalsAreWilsons() throws {
    for golden in try CalibrationGolden.read().scores.wilson {
      let found = ReliabilityBins.wilsonInterval(share: golden.share, count: golden.count)
      #expect(
        isClose(found.lowerBound, golden.interval[0])
          && isClose(found.upperBound, golden.interval[1]), "\(golden): \(found)")
    }
    #expect(ReliabilityBins.wilsonInterval(share: 0.5, count: 0) == 0...1)
  }

  @Test func binsHoldWhatTheyMust() throws {
    let ties = [0.2, 0.2, 0.2, 0.2, 0.9].map { Judgement($0, .real) }
    let bins = ReliabilityBins(ties, .equalCount(5)).bins
    #expect(bins.map(\.count) == [4, 1], "equal probabilities stay together")
    let edges = [0.0, 0.5, 1.0].map { Judgement($0, .fake) }
    let halves = ReliabilityBins(edges, .equalWidth(2)).bins
    #expect(halves.map(\.count) == [1, 2], "a border belongs to the upper bin")
    #expect(ReliabilityBins([], .equalWidth(3)).bins.isEmpty)
    #expect(ReliabilityBins([], .equalCount(3)).calibrationError.isNaN)
    // What counts nothing is not there; heavy judgements are worth more than their number.
    let weighted = ReliabilityBins(
      [.init(0.3, .real, weight: 3), .init(0.3, .fake), .init(0.3, .fake, weight: 0)],
      .equalWidth(1)
    ).bins[0]
    #expect(weighted.count == 2 && isClose(weighted.share, 0.25) && isClose(weighted.weight, 4))
    #expect(weighted.interval == ReliabilityBins.wilsonInterval(share: 0.25, count: 16.0 / 10))
  }

  @Test func groupsCountEquallyAndLabelsAsHalves() {
    let weights = GroupWeights(
      groups: [0, 0, 0, 1, 2], labels: [.real, .real, .real, .real, .fake]
    ).weights
    // Two real groups share what the one fake has.
    #expect(zip(weights, [0.25, 0.25, 0.25, 0.75, 1.5]).allSatisfy(isClose), "\(weights)")
    let drawn = GroupWeights(
      groups: [0, 0, 1, 2], labels: [.real, .real, .real, .fake], times: [2, 0, 1]
    ).weights
    #expect(zip(drawn, [0.75, 0.75, 0, 1.5]).allSatisfy(isClose), "\(drawn)")
    #expect(GroupWeights(groups: [], labels: []).weights.isEmpty)
    #expect(GroupWeights(groups: [0], labels: [.fake]).weights == [1])
  }

  @Test func bootstrapsDrawWholeGroups() throws {
    // The mean of fifty numbers from 0 to 49, each alone: its deviation is known.
    let bootstrap = GroupBootstrap(draws: 4000, seed: 2)
    func mean(_ times: [Double]) -> [Double] {
      [times.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element } / times.reduce(0, +)]
    }
    let interval = try #require(bootstrap.intervals(groups: 50, mean).first ?? nil)
    let deviation = ((50.0 * 50 - 1) / 12 / 50).squareRoot()
    #expect(abs(interval.lowerBound - (24.5 - 1.96 * deviation)) < 0.35, "\(interval)")
    #expect(abs(interval.upperBound - (24.5 + 1.96 * deviation)) < 0.35, "\(interval)")
    #expect(bootstrap.intervals(groups: 50, mean) == bootstrap.intervals(groups: 50, mean))
    // Every draw has as many groups as there are.
    _ = GroupBootstrap(draws: 5).intervals(groups: 7) { times in
      #expect(times.reduce(0, +) == 7)
      return []
    }
    #expect(GroupBootstrap(draws: 50).intervals(groups: 3) { _ in [.nan] } == [nil])
    #expect(bootstrap.intervals(groups: 0) { _ in [1] }.isEmpty)
  }

  @Test func theNarrowestBandThatGivesTheAccuracyIsFound() throws {
    // Wrong between 0.4 and 0.6, right elsewhere.
    let judgements: [Judgement] = [
      .init(0.05, .real), .init(0.2, .real), .init(0.42, .fake), .init(0.55, .real),
      .init(0.57, .fake), .init(0.8, .fake), .init(0.9, .fake), .init(0.1, .real),
    ]
    let band = try #require(AbstainBand.narrowest([judgements], accuracy: 0.99))
    let range = try #require(band.range)
    // 0.42 is 0.08 from one half.
    #expect(isClose(range.lowerBound, 0.42) && isClose(range.upperBound, 0.58))
    #expect(band.accuracy == 1 && isClose(band.coverage, 5.0 / 8))
    let none = try #require(AbstainBand.narrowest([judgements], accuracy: 0.75))
    #expect(none.range == nil && none.coverage == 1 && none.accuracy == 0.75)
    #expect(AbstainBand.narrowest([[.init(0.995, .real)]], accuracy: 0.6) == nil)
    #expect(AbstainBand.narrowest([[]], accuracy: 0.6) == nil)
    // Weights decide.
    let heavy = [Judgement(0.6, .real), .init(0.9, .fake, weight: 9)]
    #expect(AbstainBand.narrowest([heavy], accuracy: 0.9)?.range == nil)
    #expect(AbstainBand.narrowest([heavy], accuracy: 0.95)?.coverage == 0.9, "0.6 is left open")
  }

  @Test func theDiagramIsWellFormedAndNamesItsSeries() throws {
    let judgements = try CalibrationGolden.read().fits[0].judgements
    var plot = ReliabilityPlot(
      "How <honest>",
      series: [
        .init("before", judgements), .init("after", judgements), .init("none", []),
      ])
    plot.subtitle = ["one", "two"]
    let svg = plot.svg
    for text in ["How &lt;honest&gt;", "before", "after", "two", "number of judgements: before"] {
      #expect(svg.contains(">\(text)<"), "\(text)")
    }
    #expect(
      svg.components(separatedBy: "<text").count == svg.components(separatedBy: "</text>").count)
    #expect(svg.hasSuffix("</svg>\n") && !svg.contains("nan") && !svg.contains("inf"))
  }
}
