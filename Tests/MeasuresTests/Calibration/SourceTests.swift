import Foundation
import Measures
import Testing

@Suite("Calibration: sources count equally") struct SourceWeightTests {
  /// Two sources with both labels, of very different size, and two of real faces only.
  private static let cells: [(source: Int, label: FaceLabel, count: Int)] = [
    (0, .real, 30), (0, .fake, 10), (1, .real, 2), (1, .fake, 4), (2, .real, 5), (3, .real, 50),
  ]

  private func parts(_ times: ((Int, FaceLabel) -> Double)? = nil) -> [Double] {
    let all = Self.cells.flatMap { cell in Array(repeating: cell, count: cell.count) }
    let weights = GroupWeights(
      groups: Array(all.indices), labels: all.map(\.label), sources: all.map(\.source),
      times: times.map { times in all.map { times($0.source, $0.label) } }
    ).weights
    let sum = weights.reduce(0, +)
    return Self.cells.map { cell in
      var own = 0.0
      for (sample, weight) in zip(all, weights)
      where sample.source == cell.source && sample.label == cell.label { own += weight }
      return own / sum
    }
  }

  private func isClose(_ found: [Double], _ expected: [Double]) -> Bool {
    zip(found, expected).allSatisfy { abs($0 - $1) < 1e-12 }
  }

  @Test func sourcesOfOneLabelAreOneMore() {
    let parts = parts()
    // Half of all is real: a third of that each source's, a third both real-only sources', half
    // each.
    let expected: [Double] = [2, 3, 2, 3, 1, 1]
    #expect(isClose(parts, expected.map { $0 / 12 }))
  }

  @Test func whatADrawLacksOthersCountFor() {
    let parts = parts { source, label in source == 1 && label == .fake ? 0 : 2 }
    let expected: [Double] = [2, 6, 2, 0, 1, 1]
    #expect(isClose(parts, expected.map { $0 / 12 }))
  }

  @Test func oneSourceIsAsNone() {
    let (groups, labels) = ([0, 0, 1, 2, 3], [FaceLabel.real, .real, .real, .fake, .real])
    let plain = GroupWeights(groups: groups, labels: labels).weights
    let one = GroupWeights(groups: groups, labels: labels, sources: [4, 4, 4, 4, 4]).weights
    #expect(plain == one)
    // Reals of one collection and fakes of another: nothing to keep apart.
    let apart = GroupWeights(groups: groups, labels: labels, sources: [0, 0, 0, 1, 0]).weights
    #expect(isClose(plain, apart))
  }

  @Test func foldsAreDealtEvenly() throws {
    let folds = try #require(CrossFolds(groups: 23, seed: 3))
    #expect((0..<5).allSatisfy { fold in [4, 5].contains(folds.ofGroup.count { $0 == fold }) })
    #expect(folds.ofGroup == CrossFolds(groups: 23, seed: 3)?.ofGroup)
    #expect(folds.ofGroup != CrossFolds(groups: 23, seed: 4)?.ofGroup)
    #expect(CrossFolds(groups: 9, seed: 1) == nil)
  }
}

@Suite("Calibration: the range of the worst source") struct WorstSourceBandTests {
  /// Ten judgements of either label that are right but for those given.
  private func source(_ wrong: [Judgement]) -> [Judgement] {
    (0..<10).flatMap { _ in [Judgement(0.03, .real), Judgement(0.97, .fake)] } + wrong
  }

  @Test func everySourceMustHaveTheAccuracy() throws {
    let easy = source([])
    // Four of 24 are wrong, at up to 0.2 from one half.
    let hard = source([
      .init(0.65, .real), .init(0.7, .real), .init(0.35, .fake), .init(0.3, .fake),
    ])
    // On the mean of both, nine in ten are right without a range.
    let mean = AbstainBand.answers(easy + hard, outside: nil).accuracy
    #expect(mean > 0.9 && AbstainBand.answers(hard, outside: nil).accuracy < 0.9)
    let band = try #require(AbstainBand.smallest([easy, hard], accuracy: 0.9))
    // Without those at 0.15, two of 22 are wrong.
    let range = try #require(band.range)
    #expect(abs(range.lowerBound - 0.35) < 1e-9 && abs(range.upperBound - 0.65) < 1e-9)
    #expect(band.sources[0] == .init(coverage: 1, accuracy: 1))
    #expect(abs(band.sources[1].accuracy - 20.0 / 22) < 1e-9)
    #expect(abs(band.sources[1].coverage - 22.0 / 24) < 1e-9)
    #expect(band.accuracy == band.sources[1].accuracy)
    #expect(abs(band.coverage - (1 + 22.0 / 24) / 2) < 1e-9)
    #expect(AbstainBand.smallest([easy], accuracy: 0.9)?.range == nil)
  }

  @Test func aRangeReachesFurtherToOneSideWhereThatIsClearlyBetter() throws {
    // Fakes are missed down to 0.1; what is called fake is right from 0.51 on.
    let missed = (0..<10).map { Judgement(0.12 + Double($0) / 50, .fake) }
    let found = (0..<40).map { Judgement(0.52 + Double($0) / 100, .fake) }
    let all = source(missed + found)
    let narrow = try #require(AbstainBand.narrowest([all], accuracy: 0.97))
    let band = try #require(AbstainBand.smallest([all], accuracy: 0.97))
    let range = try #require(band.range)
    #expect(range.upperBound == 0.5 && range.lowerBound < 0.2)
    #expect(band.accuracy >= 0.97 && band.coverage > narrow.coverage + AbstainBand.clearGain)
    // Where it gains little, both sides are alike.
    let few = source([.init(0.4, .fake), .init(0.45, .fake)])
    let symmetric = try #require(AbstainBand.smallest([few], accuracy: 0.99)?.range)
    #expect(abs(symmetric.lowerBound + symmetric.upperBound - 1) < 1e-9)
  }

  @Test func whatCannotBeReachedIsNone() {
    let hopeless = [
      Judgement(0.995, .real), .init(0.005, .fake), .init(0.9, .fake), .init(0.1, .real),
    ]
    #expect(AbstainBand.smallest([source([]), hopeless], accuracy: 0.9) == nil)
    #expect(AbstainBand.smallest([], accuracy: 0.9) == nil)
    #expect(AbstainBand.answers(hopeless, outside: 0...1).accuracy.isNaN)
  }
}
