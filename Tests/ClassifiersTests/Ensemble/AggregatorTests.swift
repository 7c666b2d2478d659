import Classifiers
import TestSupport
import Testing

@Suite struct AggregatorTests {
  let scores: [Float] = [0.9, 0.1, 0.4, 0.6, 0.25]

  @Test func meanIsTheMean() {
    expectClose([MeanAggregator().aggregate(scores)], [0.45], tolerance: 1e-6)
    expectClose([MeanAggregator().aggregate([0.3])], [0.3], tolerance: 1e-7)
  }

  @Test func meanLogitAveragesLogOdds() {
    // The odds' geometric mean: sqrt(9 * 1.5) to 1, and below the cube root of 999 to 1.
    expectClose([MeanLogitAggregator().aggregate([0.9, 0.6])], [0.786_061_2], tolerance: 1e-6)
    expectClose([MeanLogitAggregator().aggregate([0.2, 0.8])], [0.5], tolerance: 1e-6)
    let certain = MeanLogitAggregator(margin: 1e-3).aggregate([0, 1, 1])
    expectClose([certain], [0.909_063_3], tolerance: 1e-6)
  }

  @Test func medianTakesTheMiddle() {
    expectClose([MedianAggregator().aggregate(scores)], [0.4], tolerance: 1e-7)
    expectClose([MedianAggregator().aggregate([0.9, 0.1, 0.4, 0.6])], [0.5], tolerance: 1e-6)
  }

  @Test func trimmedMeanDropsBothEnds() {
    expectClose(
      [TrimmedMeanAggregator(fraction: 0.2).aggregate(scores)], [1.25 / 3], tolerance: 1e-6)
    expectClose([TrimmedMeanAggregator(fraction: 0.1).aggregate(scores)], [0.45], tolerance: 1e-6)
    expectClose(
      [TrimmedMeanAggregator(fraction: 0.49).aggregate([0.2, 0.6, 0.1])], [0.2], tolerance: 1e-6)
  }

  @Test func maximumIsTheHighest() {
    #expect(MaximumAggregator().aggregate(scores) == 0.9)
  }

  @Test func confidentFakesOutvoteTheRest() {
    // 12 of 25: more than 11 and more than 10 = 25 // 2.5.
    let fake = [Float](repeating: 0.9, count: 12) + [Float](repeating: 0.3, count: 13)
    expectClose([ConfidentAggregator().aggregate(fake)], [0.9], tolerance: 1e-6)
    // 11 are not enough.
    let few = [Float](repeating: 0.9, count: 11) + [Float](repeating: 0.3, count: 5)
    expectClose([ConfidentAggregator().aggregate(few)], [(9.9 + 1.5) / 16], tolerance: 1e-6)
    // 12 of 30 are not more than 30 // 2.5 = 12; 12 of 29 are more than 11.
    let twelve = [Float](repeating: 0.9, count: 12)
    let thirty = twelve + [Float](repeating: 0.3, count: 18)
    expectClose([ConfidentAggregator().aggregate(thirty)], [(10.8 + 5.4) / 30], tolerance: 1e-6)
    let nearly = twelve + [Float](repeating: 0.3, count: 17)
    expectClose([ConfidentAggregator().aggregate(nearly)], [0.9], tolerance: 1e-6)
  }

  @Test func confidentRealsNeedNineTenths() {
    let real = [Float](repeating: 0.1, count: 19) + [0.7]
    expectClose([ConfidentAggregator().aggregate(real)], [0.1], tolerance: 1e-6)
    let exactlyNineTenths = [Float](repeating: 0.1, count: 18) + [0.7, 0.7]
    expectClose(
      [ConfidentAggregator().aggregate(exactlyNineTenths)], [(1.8 + 1.4) / 20], tolerance: 1e-6)
  }

  @Test func namesParse() throws {
    let named: [(String, AggregatorName, any Aggregator.Type)] = [
      ("mean", .mean, MeanAggregator.self), ("mean-logit", .meanLogit, MeanLogitAggregator.self),
      ("median", .median, MedianAggregator.self),
      ("maximum", .maximum, MaximumAggregator.self),
      ("confident", .confident, ConfidentAggregator.self),
      ("trimmed-mean", .trimmedMean(fraction: 0.1), TrimmedMeanAggregator.self),
      ("trimmed-mean:0.25", .trimmedMean(fraction: 0.25), TrimmedMeanAggregator.self),
      ("power-weighted", .powerWeighted(power: 2), PowerWeightedAggregator.self),
      ("power-weighted:0.5", .powerWeighted(power: 0.5), PowerWeightedAggregator.self),
    ]
    for (text, name, type) in named {
      #expect(AggregatorName(text) == name)
      #expect(AggregatorName(name.description) == name)
      #expect(Swift.type(of: name.aggregator) == type)
    }
    let trimmed = AggregatorName.trimmedMean(fraction: 0.25).aggregator as? TrimmedMeanAggregator
    #expect(trimmed?.fraction == 0.25)
    let power = AggregatorName.powerWeighted(power: 0.5).aggregator as? PowerWeightedAggregator
    #expect(power?.power == 0.5)
    for wrong in [
      "", "Mean", "average", "mean:0.1", "trimmed-mean:", "trimmed-mean:0.5", "trimmed-mean:-0.1",
      "power-weighted:0", "power-weighted:11", "power-weighted:nan",
      "trimmed-mean:nan", "trimmed-mean:x",
    ] {
      #expect(AggregatorName(wrong) == nil, "\(wrong)")
    }
  }
}
