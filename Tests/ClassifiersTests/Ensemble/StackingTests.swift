import Classifiers
import Foundation
import TestSupport
import Testing

/// Stacking against scikit-learn's logistic regression (`Fixtures/make_stacking.py`).
@Suite struct StackingTests {
  struct Golden: Decodable {
    var name: String
    var ridge: Double
    var scores: [[Float]]
    var labels: [Int]
    var weights: [Double]
    var stack: [Double]
    var offset: Double

    var samples: [StackedAggregator.Sample] {
      scores.indices.map { .init(scores[$0], isFake: labels[$0] == 1, weight: weights[$0]) }
    }
  }

  @Test func stacksAreScikitLearns() throws {
    let cases = try JSONDecoder().decode(
      [Golden].self, from: Data(contentsOf: Paths.fixture("stacking.json")))
    #expect(cases.count == 3)
    for golden in cases {
      let stack = try StackedAggregator.fitted(to: golden.samples, ridge: golden.ridge)
      for (found, expected) in zip(stack.weights + [stack.offset], golden.stack + [golden.offset]) {
        #expect(abs(found - expected) < 1e-6, "\(golden.name): \(found), not \(expected)")
      }
    }
  }

  @Test func aStackIsTheSigmoidOfItsSum() {
    let stack = StackedAggregator(weights: [2, -1], offset: 0.5)
    // Log odds of 0.5 and of 1 / (1 + 1 / e) are 0 and 1.
    #expect(abs(stack.aggregate([0.5, 0.731_058_6]) - 1 / (1 + exp(Float(0.5)))) < 1e-5)
    #expect(stack.aggregate([1, 0.5]) > 0.999 && stack.aggregate([0, 0.5]).isFinite)
  }

  @Test func separableSamplesHaveAStackToo() throws {
    let samples = (0..<10).map { index in
      StackedAggregator.Sample([index < 5 ? 0.1 : 0.9], isFake: index >= 5)
    }
    #expect(try StackedAggregator.fitted(to: samples).weights[0] > 0.5)
  }

  @Test func whatCannotBeStackedIsRefused() {
    #expect(throws: StackedAggregator.FitError.oneLabel) {
      try StackedAggregator.fitted(to: [.init([0.5], isFake: true)])
    }
    #expect(throws: StackedAggregator.FitError.oneLabel) { try StackedAggregator.fitted(to: []) }
    for bad in [[0.5, 0.5], [Float.nan], [1.5], []] as [[Float]] {
      #expect(throws: StackedAggregator.FitError.badScores(sample: 1)) {
        try StackedAggregator.fitted(to: [.init([0.5], isFake: true), .init(bad, isFake: false)])
      }
    }
  }

  @Test func weightsAreParts() {
    #expect(WeightedMeanAggregator([3, 1]).aggregate([1, 0]) == 0.75)
  }
}
