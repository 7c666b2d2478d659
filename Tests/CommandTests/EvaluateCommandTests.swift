import DFKit
import Foundation
import TestSupport
import Testing

/// `dfkit evaluate` and `dfkit report` on copies of the sample video.
@Suite struct EvaluateCommandTests {
  private static let sample = Paths.package.appendingPathComponent("Examples/sample.mp4")

  /// A folder with the same video twice, once with each label, and one that is none.
  private func withClips(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      let clips = folder.appendingPathComponent("clips")
      try FileManager.default.createDirectory(at: clips, withIntermediateDirectories: true)
      for name in ["a.mp4", "b.mp4"] {
        try FileManager.default.copyItem(at: Self.sample, to: clips.appendingPathComponent(name))
      }
      try Data("no video".utf8).write(to: clips.appendingPathComponent("c.mp4"))
      try Data("filename,label,source\na.mp4,FAKE,x\nb.mp4,REAL,y\nc.mp4,REAL,y\n".utf8)
        .write(to: clips.appendingPathComponent("labels.csv"))
      try body(folder)
    }
  }

  private func evaluate(_ folder: URL, _ more: [String]) throws -> Tool.Result {
    try Tool.run(
      ["evaluate", "clips", "--frames", "4", "--cache", "cache", "--json"] + more, in: folder)
  }

  @Test func videosAreJudgedAndScoresKept() throws {
    try withClips { folder in
      let first = try evaluate(
        folder, ["--plots", "plots", "--ablate", "aggregators,frames", "--compare", "default"])
      // One file could not be read; the others were judged all the same.
      #expect(first.status == 1 && first.errors.contains("c.mp4"), "\(first.errors)")
      let facts: [String: Any] = try first.json()
      let evaluation = try #require(facts["evaluation"] as? [String: Any])
      #expect(evaluation["videos"] as? Int == 2)
      let failures = try #require(facts["failures"] as? [[String: Any]])
      #expect(failures.count == 1)
      let levels = try #require(evaluation["levels"] as? [[String: Any]])
      #expect(levels.map { $0["level"] as? String } == ["frame", "person", "video"])
      #expect(levels.map { $0["real"] as? Int } == [4, 1, 1])
      // The same video twice: chance.
      let figures = try #require(levels[2]["all"] as? [String: [String: Any]])
      #expect(figures["auc"]?["value"] as? Double == 0.5)
      let files = try #require(evaluation["files"] as? [[String: Any]])
      let probability = try #require(files[0]["probability"] as? Double)
      let loss = -(log(probability) + log(1 - probability)) / 2
      #expect(abs((figures["logLoss"]?["value"] as? Double ?? 0) - loss) < 1e-6)
      let comparison = try #require(facts["comparison"] as? [String: [String: [String: Any]]])
      #expect(comparison["difference"]?["logLoss"]?["value"] as? Double == 0)
      let rows = try #require(facts["ablation"] as? [[String: Any]])
      #expect(rows.contains { $0["setting"] as? String == "median" })
      for name in ["roc", "reliability", "scores-frames", "slices", "ablation"] {
        let plot = folder.appendingPathComponent("plots/\(name)")
        #expect(try Data(contentsOf: plot.appendingPathExtension("svg")).count > 500)
        #expect(try ImageFile.read(plot.appendingPathExtension("png")).width > 300)
      }
      // Asked again, no network is: what was kept says the same.
      let cache = folder.appendingPathComponent("cache")
      let kept = try FileManager.default.contentsOfDirectory(
        at: cache, includingPropertiesForKeys: nil)
      let before = try Data(contentsOf: try #require(kept.first))
      #expect(
        kept.count == 1 && String(decoding: before, as: UTF8.self).split(separator: "\n").count == 2
      )
      let again = try evaluate(folder, [])
      let repeated: [String: Any] = try again.json()
      #expect(
        NSDictionary(dictionary: try #require(repeated["evaluation"] as? [String: Any]))
          == NSDictionary(dictionary: evaluation))
      #expect(try Data(contentsOf: kept[0]) == before)
    }
  }

  @Test func footageIsMadeWorse() throws {
    try withClips { folder in
      let result = try Tool.run(
        [
          "evaluate", "clips/a.mp4", "--frames", "2", "--cache", "none", "--sweep", "--json",
          "--labels",
        ]
          + ["clips/labels.csv"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let facts: [String: Any] = try result.json()
      let rows = try #require(facts["sweep"] as? [[String: Any]])
      #expect(Set(rows.compactMap { $0["sweep"] as? String }).count == 5 && rows.count == 24)
    }
  }

  @Test func wrongQuestionsAreAnswered() throws {
    try withClips { folder in
      let unlabelled = folder.appendingPathComponent("clips/d.mp4")
      try FileManager.default.copyItem(at: Self.sample, to: unlabelled)
      let none = try Tool.run(["evaluate", "clips/d.mp4", "--labels", "x.csv"], in: folder)
      #expect(none.status != 0 && none.errors.contains("x.csv"))
      let nothing = try Tool.run(["evaluate", "elsewhere"], in: folder)
      #expect(nothing.status == 1 && nothing.output.isEmpty)
      #expect(
        nothing.errors.contains("no such file")
          && nothing.errors.contains("no file could be evaluated"))
      for (arguments, hint) in [
        (["clips", "--ablate", "luck"], "aggregators"), ([], "--data"),
        (["--data", "clips", "--sweep"], "--sweep"),
        (["clips", "--compare-weights", "w"], "--compare"),
      ] {
        let result = try Tool.run(["evaluate"] + arguments, in: folder)
        #expect(result.status == 64 && result.errors.contains(hint), "\(arguments)")
      }
    }
  }

  @Test func aPageIsWritten() throws {
    try withClips { folder in
      let result = try Tool.run(
        ["report", "clips/a.mp4", "-o", "page.html", "--json", "--faces", "2"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let facts: [String: Any] = try result.json()
      let verdict = try #require(facts["verdict"] as? [String: Any])
      let page = try String(contentsOf: folder.appendingPathComponent("page.html"), encoding: .utf8)
      let probability = String(format: "%.2f", verdict["probability"] as? Double ?? -1)
      #expect(page.contains("P(fake) = \(probability)") && page.contains("clips/a.mp4"))
      #expect(page.components(separatedBy: "alt=\"The face at").count == 3)
      let broken = try Tool.run(["report", "clips/c.mp4", "-o", "other.html"], in: folder)
      #expect(broken.status == 1 && broken.errors.contains("c.mp4"))
      #expect(
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent("other.html").path))
      #expect(try Tool.run(["report", "clips/a.mp4"], in: folder).status == 64)
    }
  }

  @Test func pagesAreWrittenWhilePredicting() throws {
    try withClips { folder in
      let result = try Tool.run(["predict", "clips", "--report", "pages", "--json"], in: folder)
      #expect(result.status == 1)
      let entries: [[String: Any]] = try result.json()
      #expect(entries.count == 3)
      let pages = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("pages").path)
      #expect(pages.count == 2 && pages.allSatisfy { $0.hasSuffix(".html") }, "\(pages)")
    }
  }
}
