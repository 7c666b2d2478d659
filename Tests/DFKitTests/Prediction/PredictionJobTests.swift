import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct PredictionJobTests {
  private func job(_ scorer: any FaceScorer = RuleScorer { _ in 0.9 }) -> PredictionJob {
    let recipe = Recipe(name: "t", members: [.init(name: "a", architecture: .efficientNetB0)])
    return PredictionJob(
      predictor: VideoPredictor(
        recipe: recipe, detector: ScriptedDetector { _, _ in [.at(3, 3)] },
        ensemble: Ensemble([.init("a", scorer)])))
  }

  @Test func badFilesDoNotStopTheOthers() throws {
    try Paths.withTemporaryFolder { folder in
      let paths = ["a.png", "b.png", "c.mp4", "d.png", "e.jpg"].map {
        folder.appendingPathComponent($0)
      }
      try ImageFile.write(.plain(30, 30), to: paths[0])
      let whole = try Data(contentsOf: paths[0])
      try whole.prefix(whole.count / 2).write(to: paths[1])
      try Data("not a video".utf8).write(to: paths[2])
      try ImageFile.write(.plain(30, 30), to: paths[3])
      try Data().write(to: paths[4])
      let files = MediaFiles.expand(
        [folder.path, folder.path + "/missing.mp4", folder.path + "/*.mkv"])
      var reports: [VideoReport] = []
      let outcome = job().run(files) { reports.append($0) }
      #expect(outcome == JobOutcome(failures: 5, wasCancelled: false))
      #expect(reports.count == 7)
      let answered = reports.filter { $0.error == nil }
      let names = answered.map { URL(fileURLWithPath: $0.file).lastPathComponent }
      #expect(names == ["a.png", "d.png"])
      for report in answered { #expect(report.verdict == .fake(probability: 0.9)) }
      for report in reports where report.error != nil {
        #expect(report.verdict == .undecided(.unreadable))
        #expect(report.error?.contains(report.file) == true)
      }
    }
  }

  @Test func otherFailuresAreToldFromUnreadableFiles() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("a.png")
      try ImageFile.write(.plain(30, 30), to: file)
      var reports: [VideoReport] = []
      let outcome = job(BrokenScorer()).run(MediaFiles.expand([file.path])) { reports.append($0) }
      #expect(outcome.failures == 1)
      #expect(reports[0].verdict == .undecided(.failed))
      #expect(reports[0].error == "the scorer is broken")
    }
  }

  @Test func cancellationKeepsWhatIsDone() async throws {
    try await Task {
      try Paths.withTemporaryFolder { folder in
        for i in 0..<5 {
          try ImageFile.write(.plain(30, 30), to: folder.appendingPathComponent("\(i).png"))
        }
        var reports: [VideoReport] = []
        let outcome = job().run(MediaFiles.expand([folder.path])) { report in
          reports.append(report)
          if reports.count == 2 { withUnsafeCurrentTask { $0?.cancel() } }
        }
        #expect(outcome == JobOutcome(failures: 0, wasCancelled: true))
        #expect(reports.count == 2)
      }
    }.value
  }

  @Test func progressCountsFiles() throws {
    try Paths.withTemporaryFolder { folder in
      for i in 0..<3 {
        try ImageFile.write(.plain(30, 30), to: folder.appendingPathComponent("\(i).png"))
      }
      var seen: [Double] = []
      _ = job().run(
        MediaFiles.expand([folder.path]), progress: { seen.append($0.overall) }, report: { _ in })
      #expect(seen.first == 0)
      #expect(seen == seen.sorted())
      #expect(seen.last == 1)
    }
  }
}
