import DeepfakeCore
import Measures
import TestSupport
import Testing

struct SimilarityHistogramTests {
  private func histogram(_ values: [Float]) -> SimilarityHistogram {
    var histogram = SimilarityHistogram()
    for value in values { histogram.add(value) }
    return histogram
  }

  @Test func areaIsHowOftenOneIsHigher() {
    var generator = SeededGenerator(seed: 1)
    // Few values, so that there are ties.
    let same = (0..<60).map { _ in Float(Int(generator.uniform() * 30)) / 40 }
    let different = (0..<80).map { _ in Float(Int(generator.uniform() * 30) - 12) / 40 }
    var wins = 0.0
    for a in same { for b in different { wins += a > b ? 1 : a == b ? 0.5 : 0 } }
    let area = histogram(same).area(over: histogram(different))
    #expect(abs(area - wins / Double(60 * 80)) < 1e-9)
    #expect(histogram([]).area(over: histogram(different)).isNaN)
  }

  @Test func thresholdLetsAtMostThePartThrough() {
    let values = (0..<100).map { Float($0) / 100 }
    let all = histogram(values)
    #expect(all.count(atLeast: 0.9) == 10)
    #expect(all.share(atLeast: 0) == 1)
    for share in [0.0, 0.01, 0.055, 0.5] {
      let threshold = all.threshold(forShare: share)
      #expect(all.share(atLeast: threshold) <= share)
      #expect(all.share(atLeast: threshold - 0.0101) > share, "\(share) is reached too late")
    }
    #expect(all.threshold(forShare: 1) == -1)
  }

  @Test func valuesBeyondOneCountAsOneAndNothingReachesMore() {
    let all = histogram([1.0000004, 1, -1.0001])
    #expect(all.count(atLeast: 1) == 2)
    #expect(all.count(atLeast: -1) == 3)
    let threshold = all.threshold(forShare: 0)
    #expect(threshold > 1)
    #expect(all.count(atLeast: threshold) == 0)
    #expect(all.shares(bins: 2) == [1 / 3.0, 2 / 3.0])
  }
}
