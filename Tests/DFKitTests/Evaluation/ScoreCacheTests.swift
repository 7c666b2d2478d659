import DFKit
import Foundation
import TestSupport
import Testing

@Suite("Evaluation: scores that are kept") struct ScoreCacheTests {
  private func report(_ maker: VerdictMaker) -> VideoReport {
    var file = Evaluated.file("a.mp4", .fake, [[0.9, 0.8, 0.7], [0.2, 0.25, 0.3]], maker)
    file.report.warnings = ["cut \"off\""]
    return file.report
  }

  @Test func whatWasKeptComesBack() throws {
    let maker = try Evaluated.maker()
    let report = report(maker)
    try Paths.withTemporaryFolder { folder in
      var cache = ScoreCache(folder: folder, settings: "one")
      cache.add(report, key: "k")
      #expect(cache.problem == nil)
      var again = try #require(
        ScoreCache(folder: folder, settings: "one").report("k", file: "a.mp4"))
      maker.decide(&again)
      #expect(again == report)
      #expect(ScoreCache(folder: folder, settings: "two").report("k", file: "a.mp4") == nil)
      #expect(ScoreCache(folder: folder, settings: "one").report("l", file: "a.mp4") == nil)
    }
  }

  @Test func damageIsAsIfItWasNotThere() throws {
    let maker = try Evaluated.maker()
    let report = report(maker)
    try Paths.withTemporaryFolder { folder in
      var cache = ScoreCache(folder: folder, settings: "one")
      cache.add(report, key: "k")
      let file = try #require(
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
          .first)
      let whole = try Data(contentsOf: file)
      for count in stride(from: 0, to: whole.count, by: 37) {
        try whole.prefix(count).write(to: file)
        var cut = ScoreCache(folder: folder, settings: "one")
        #expect(cut.report("k", file: "a.mp4") == nil)
        // And what is added after it is whole.
        cut.add(report, key: "l")
        #expect(ScoreCache(folder: folder, settings: "one").report("l", file: "a.mp4") != nil)
      }
      let nonsense = String(decoding: whole, as: UTF8.self).replacing("0.9", with: "9.9")
      try Data(nonsense.utf8).write(to: file)
      #expect(ScoreCache(folder: folder, settings: "one").report("k", file: "a.mp4") == nil)
    }
  }

  /// As written by versions that kept no frame numbers.
  @Test func recordsOfBeforeAreRead() throws {
    let maker = try Evaluated.maker()
    try Paths.withTemporaryFolder { folder in
      var cache = ScoreCache(folder: folder, settings: "one")
      let report = report(maker)
      cache.add(report, key: "k")
      let file = try #require(
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
          .first)
      let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      try #require(text.contains("\"frame\":2,"))
      let before = text.replacing(/"frame":\d+,/, with: "")
      try Data(before.utf8).write(to: file)
      let found = ScoreCache(folder: folder, settings: "one").report("k", file: "a.mp4")
      #expect(found?.scores == report.scores)
      #expect(found?.scores.faces.map(\.frame) == [0, 0, 1, 1, 2, 2])
    }
  }

  @Test func withoutAPlaceWorkGoesOn() throws {
    let maker = try Evaluated.maker()
    try Paths.withTemporaryFolder { folder in
      let taken = folder.appendingPathComponent("file")
      try Data().write(to: taken)
      var cache = ScoreCache(folder: taken, settings: "one")
      #expect(cache.problem?.contains("file") == true)
      cache.add(report(maker), key: "k")
      #expect(cache.report("k", file: "a.mp4") != nil)
    }
  }

  @Test func aFileThatChangedIsAnother() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("clip")
      #expect(ScoreCache.key([file]) == nil)
      try Data("a".utf8).write(to: file)
      let before = try #require(ScoreCache.key([file]))
      #expect(ScoreCache.key([file]) == before)
      try Data("ab".utf8).write(to: file)
      #expect(ScoreCache.key([file]) != before)
    }
  }
}
