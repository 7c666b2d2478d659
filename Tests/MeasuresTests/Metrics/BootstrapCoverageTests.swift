import DeepfakeCore
import Foundation
import Measures
import Testing

/// Whether intervals hold the truth as often as they say, on simulated data whose truth is known.
@Suite struct BootstrapCoverageTests {
  /// Scores of fakes and reals from two normal distributions; frames of a video share most of what
  /// is random.
  private func simulated(
    videos: Int, frames: Int, _ generator: inout SeededGenerator
  ) -> (judgements: [Judgement], groups: [Int]) {
    var judgements: [Judgement] = []
    var groups: [Int] = []
    for video in 0..<videos {
      let isFake = video % 2 == 0
      let shared = Self.normal(&generator)
      for _ in 0..<frames {
        let z = (isFake ? 1.0 : 0) + 0.9 * shared + 0.436 * Self.normal(&generator)
        judgements.append(Judgement(1 / (1 + exp(-(z - 0.5))), isFake ? .fake : .real))
        groups.append(video)
      }
    }
    return (judgements, groups)
  }

  private static func normal(_ generator: inout SeededGenerator) -> Double {
    let radius = (-2 * log(Double.random(in: 1e-12..<1, using: &generator))).squareRoot()
    return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
  }

  @Test func intervalsHoldTheTruthNineteenTimesInTwenty() throws {
    var generator = SeededGenerator(seed: 8, label: "coverage")
    // Scores of one deviation each, one deviation apart: the area is Phi(1 / sqrt 2).
    let truth = 0.5 * erfc(-0.5)
    let trials = 200
    var (held, naive) = (0, 0)
    for trial in 0..<trials {
      let (judgements, groups) = simulated(videos: 60, frames: 4, &generator)
      let bootstrap = GroupBootstrap(draws: 300, seed: UInt64(trial))
      let grouped = MetricFigures([.auc], groups: 60, bootstrap) { times in
        BinaryMetrics(
          zip(judgements, groups).map { Judgement($0.score, $0.label, weight: times?[$1] ?? 1) })
      }
      let single = MetricFigures([.auc], groups: judgements.count, bootstrap) { times in
        BinaryMetrics(
          judgements.enumerated().map {
            Judgement($1.score, $1.label, weight: times?[$0] ?? 1)
          })
      }
      if try #require(grouped[.auc].interval).contains(truth) { held += 1 }
      if try #require(single[.auc].interval).contains(truth) { naive += 1 }
    }
    // Of 200 trials, 95 % are 190, give or take three deviations of 3.1; percentile intervals of 60
    // groups are a little narrow.
    #expect((178...199).contains(held), "\(held)")
    // Taking frames for independent would promise too much.
    #expect(naive < held - 15, "\(naive), \(held)")
  }
}
