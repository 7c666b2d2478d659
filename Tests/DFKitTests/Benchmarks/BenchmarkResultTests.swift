import DFKit
import TestSupport
import Testing

@Suite struct BenchmarkResultTests {
  @Test func runsHaveAMiddleAndASpread() {
    // As numpy.quantile gives them.
    let times = RunTimes([3, 1, 2, 10])
    #expect(times.min == 1)
    #expect(times.lowerQuartile == 1.75)
    #expect(times.median == 2.5)
    #expect(times.upperQuartile == 4.75)
    #expect(times.max == 10)
    #expect(RunTimes([7, 5, 6]).median == 6)
    #expect(RunTimes([7, 5, 6]).lowerQuartile == 5.5)
    #expect([RunTimes([3]).lowerQuartile, RunTimes([3]).median, RunTimes([3]).max] == [3, 3, 3])
    #expect(RunTimes([]).median == 0)
  }

  @Test func resultsAreWrittenAsDocumented() {
    let result = BenchmarkResult(
      work: "classify", architecture: "efficientnet-b4", norm: "group", size: .side(224), batch: 8,
      threads: 2, warmUps: 1, times: RunTimes([3, 1, 2, 10]), peakBytes: 1_234_567)
    #expect(
      result.json.text == """
        {
          "work": "classify",
          "architecture": "efficientnet-b4",
          "norm": "group",
          "size": 224,
          "batch": 8,
          "threads": 2,
          "warmUp": 1,
          "repeats": 4,
          "millisecondsPerImage": {
            "min": 1,
            "lowerQuartile": 1.75,
            "median": 2.5,
            "upperQuartile": 4.75,
            "max": 10
          },
          "peakBytes": 1234567
        }
        """)
    let lines = [result].table.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines[1].suffix(6) == ["1.00", "1.75", "2.50", "4.75", "10.00", "1"])
    #expect(result.details.isEmpty)
  }
}
