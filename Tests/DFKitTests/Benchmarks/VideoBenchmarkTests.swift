import DFKit
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct VideoBenchmarkTests {
  @Test func stagesLeaveOutWhatIsInsideThem() {
    let inner = 0.02
    let (result, seconds) = StageTimes.record {
      StageTimes.measure(.decode) {
        StageTimes.measure(.detect) { Thread.sleep(forTimeInterval: inner) }
        StageTimes.measure(.detect) { Thread.sleep(forTimeInterval: inner) }
        return 7
      }
    }
    #expect(result == 7)
    #expect(Set(seconds.keys) == [.decode, .detect])
    #expect(seconds[.detect, default: 0] >= 2 * inner)
    // Measured around the whole, 40 ms would be in it.
    #expect(seconds[.decode, default: 1] < 2 * inner)
  }

  @Test func errorsPassThroughStages() {
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try StageTimes.record { try StageTimes.measure(.crop) { throw Failure() } }
    }
  }

  @Test func predictionsAreTimedFromTheWeightsOn() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("a.png")
      try ImageFile.write(.plain(64, 48), to: file)
      let loads = Mutex(0)
      let benchmark = Benchmark(repeats: 3, warmUps: 1)
      let result = try benchmark.predict(file, recipe: "dfdc-silver") {
        loads.withLock { $0 += 1 }
        var recipe = try Recipe.named("dfdc-silver")
        recipe.faces.minFrames = 1
        return VideoPredictor(
          recipe: recipe, detector: ScriptedDetector { _, _ in [.at(10, 10, side: 20)] },
          ensemble: Ensemble([.init("rule", RuleScorer { _ in 0.8 })]))
      }
      #expect(loads.withLock(\.self) == 4)
      #expect(result.work == "video" && result.architecture == "dfdc-silver")
      #expect(result.size == .frame(width: 64, height: 48) && result.batch == 1)
      #expect(result.times.runs.count == 3 && result.warmUps == 1)
      let video = try #require(result.video)
      #expect(video.faces == 1)
      #expect(abs((video.verdict.probability ?? 0) - 0.8) < 1e-5)
      #expect(
        video.stages.map(\.name) == [
          "load", "decode", "detect", "track", "crop", "classify", "other",
        ])
      for run in 0..<3 {
        let parts = video.stages.reduce(0) { $0 + $1.seconds.runs[run] }
        let whole = video.seconds.runs[run]
        #expect(abs(parts - whole) <= 1e-6 * max(1, whole), "\(parts) of \(whole)")
      }
    }
  }
}
