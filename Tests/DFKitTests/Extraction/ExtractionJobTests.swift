import DFKit
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(.serialized) struct ExtractionJobTests {
  private func options(_ frames: ExtractionOptions.Frames = .spread(3)) -> ExtractionOptions {
    var options = ExtractionOptions()
    options.frames = frames
    return options
  }

  @Test func aRowACropInOrder() throws {
    try ExtractionMaterial.with { material in
      let summary = try material.run(options())
      let (real, fake) = (summary.real, summary.fake)
      #expect(real.videos == 2 && real.withoutFaces == 0 && real.frames == 6 && real.crops == 12)
      #expect(fake.videos == 3 && fake.withoutFaces == 0 && fake.frames == 9 && fake.crops == 18)
      #expect(summary.failures.isEmpty && summary.waiting == 0 && summary.extracted == 5)
      let manifest = try material.manifest()
      try manifest.checkFiles()
      #expect(manifest.ignoredColumns.isEmpty)
      let samples = Array(manifest.samples)
      #expect(samples.count == 30)
      #expect(
        samples.map { "\($0.video ?? "") \($0.person ?? "") \($0.frame ?? -1)" }.prefix(7) == [
          "videos/fake/a videos/fake/a#1 0", "videos/fake/a videos/fake/a#1 2",
          "videos/fake/a videos/fake/a#1 4", "videos/fake/a videos/fake/a#2 0",
          "videos/fake/a videos/fake/a#2 2", "videos/fake/a videos/fake/a#2 4",
          "videos/fake/c videos/fake/c#1 0",
        ])
      let last = try #require(samples.last)
      #expect(last.label == .real && last.time == 0.8 && last.landmarks == nil)
      #expect(last.box == Box(x1: 40, y1: 20, x2: 60, y2: 40) && last.score == 0.8)
      let video = try Data(contentsOf: material.folder.appendingPathComponent("videos/real/b.mp4"))
      #expect(last.source == SHA256.digits(of: video))
      // 20 pixels and 0.15 of them on each side.
      let crop = try ImageFile.read(last.file)
      #expect(crop.width == 26 && crop.height == 26)
      // Folders are named by two digits, and names sort by person and frame.
      for sample in samples {
        #expect(
          sample.path.wholeMatch(of: /faces\/[0-9a-f]{2}\/\w+-[0-9a-f]{12}-p\d{3}-\d{6}\.png/)
            != nil)
      }
    }
  }

  @Test func threadsDoNotChangeAnything() throws {
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    try ExtractionMaterial.with { material in
      for threads in [1, 2, 7] {
        Parallel.threadCount = threads
        try material.run(options(), out: "out\(threads)")
      }
      let one = try material.contents("out1")
      #expect(one.count == 34)
      #expect(try material.contents("out2") == one)
      #expect(try material.contents("out7") == one)
    }
  }

  /// Fails as a full disk does, or ends as an interruption, after some frames.
  private final class EndingDetector: FaceDetector {
    private let left: Mutex<Int>
    private let error: any Error

    init(after count: Int, _ error: any Error) {
      left = Mutex(count)
      self.error = error
    }

    func detect(_ frames: [Image]) throws -> [[Face]] {
      let isOver = left.withLock { left in
        left -= frames.count
        return left < 0
      }
      if isOver { throw error }
      return try PatchDetector().detect(frames)
    }
  }

  @Test(arguments: [0, 3, 7, 14])
  func whatEndedGoesOn(_ frames: Int) throws {
    try ExtractionMaterial.with { material in
      try material.run(options(), out: "whole")
      // The disk is full: the journal stays as it is.
      let full = ExtractionError.unwritable(file: "x", reason: "No space left on device")
      #expect(throws: ExtractionError.self) {
        try material.run(options(), detector: EndingDetector(after: frames, full))
      }
      #expect(
        FileManager.default.fileExists(
          atPath: material.out.appendingPathComponent(".journal").path))
      // Then it is interrupted: the manifest has what is done.
      let half = try material.run(
        options(), detector: EndingDetector(after: 3, CancellationError()))
      #expect(half.waiting > 0 || frames == 14)
      if half.waiting < 5 {
        #expect(try material.manifest().count == 6 * (5 - half.waiting))
        try material.manifest().checkFiles()
      }
      let rest = try material.run(options())
      #expect(rest.waiting == 0 && rest.extracted == half.waiting)
      #expect(rest.skipped == 5 - half.waiting)
      #expect(try material.contents() == material.contents("whole"))
    }
  }

  @Test func whatAKillLeavesIsCleared() throws {
    try ExtractionMaterial.with { material in
      try material.run(options(), out: "whole")
      try material.run(options())
      // As if it had been killed while the last two were in work, and earlier while it wrote the
      // manifest.
      let manager = FileManager.default
      let videos = material.out.appendingPathComponent("videos.csv")
      var lines = try String(contentsOf: videos, encoding: .utf8).split(separator: "\n")
      for index in [4, 5] {
        lines[index] = Substring(lines[index].replacing(",done,3,6,", with: ",waiting,0,0,"))
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: videos)
      for (name, text) in [
        (".journal", "120 400 0123456789abcdef\nvideos/real/b,,REAL,"),
        (".part-manifest.csv", "path,label\nfaces"), (".part-videos.csv", "video"),
      ] {
        try Data(text.utf8).write(to: material.out.appendingPathComponent(name))
      }
      let work = material.out.appendingPathComponent(".work")
      try manager.createDirectory(at: work, withIntermediateDirectories: true)
      try Data("half".utf8).write(to: work.appendingPathComponent("1-17"))
      // A crop that these settings would not make, of a video that was in work.
      let crop = try #require(try material.manifest().samples.last).path
      let stray = crop.replacing("-000004.png", with: "-000003.png")
      try Data("stray".utf8).write(to: material.out.appendingPathComponent(stray))
      let summary = try material.run(options())
      #expect(summary.extracted == 2 && summary.skipped == 3)
      #expect(try material.contents() == material.contents("whole"))
    }
  }

  @Test func nothingIsDoneTwice() throws {
    try ExtractionMaterial.with { material in
      try material.run(options())
      let before = try material.contents()
      let again = try material.run(
        options(), detector: EndingDetector(after: 0, CancellationError()))
      #expect(again.extracted == 0 && again.skipped == 5 && again.waiting == 0)
      #expect(try material.contents() == before)
      // More videos: the rows so far stay as they are, the new ones follow.
      let old = try String(
        contentsOf: material.out.appendingPathComponent("manifest.csv"), encoding: .utf8)
      try material.addVideo("fake/0.mp4", grey: 200)
      let more = try material.run(options(), paths: ["fake/0.mp4"])
      #expect(more.extracted == 1 && more.fake.videos == 4)
      let new = try String(
        contentsOf: material.out.appendingPathComponent("manifest.csv"), encoding: .utf8)
      #expect(new.hasPrefix(old) && new.count > old.count)
      #expect(try material.manifest().samples.last?.video == "videos/fake/0")
    }
  }

  @Test func badVideosDoNotStopTheOthers() throws {
    try ExtractionMaterial.with { material in
      let videos = material.folder.appendingPathComponent("videos")
      try Data("broken".utf8).write(to: videos.appendingPathComponent("real/z.mp4"))
      try material.addVideo("nobody.mp4")
      try material.addVideo("real/empty.mp4", hasFaces: false)
      let whole = try Data(contentsOf: videos.appendingPathComponent("fake/a.mp4"))
      try whole.prefix(whole.count / 3).write(to: videos.appendingPathComponent("fake/cut.mp4"))
      var failed: [String] = []
      let job = try material.job(options())
      let inputs = MediaFiles.expand([videos.path, "/nowhere/at/all.mp4"], kinds: [.video])
      let summary = try job.run(try job.plan(inputs), failed: { failed.append($0.text) })
      #expect(summary.real.videos == 3 && summary.real.withoutFaces == 1)
      #expect(summary.failures.count == failed.count && summary.outcome.failures == failed.count)
      #expect(failed.contains { $0.contains("nobody.mp4: has no label") })
      #expect(failed.contains { $0.contains("real/z.mp4") })
      #expect(failed.contains { $0.contains("there is no such file") })
      #expect(try material.manifest().count == 30)
      let table = try String(
        contentsOf: material.out.appendingPathComponent("videos.csv"), encoding: .utf8)
      #expect(table.contains("videos/real/z,,REAL,,,,,videos/real/z.mp4,failed,0,0,"))
      // It is tried again, and repaired it is taken.
      try whole.write(to: videos.appendingPathComponent("real/z.mp4"))
      #expect(try material.run(options()).real.videos == 4)
      #expect(try material.manifest().count == 36)
    }
  }

  @Test func foldersThatCannotBeGoneOnWith() throws {
    try ExtractionMaterial.with(real: ["a"], fake: ["b"]) { material in
      try material.run(options())
      var other = options(.spread(4))
      other.crop.margin = 0.3
      other.size = 64
      let error = #expect(throws: ExtractionError.self) { try material.run(other) }
      let message = error?.description ?? ""
      #expect(message.contains("frames.choice: was 3, is now 4"))
      #expect(message.contains("crop.margin: was 0.15, is now 0.3"))
      #expect(message.contains("crop.size: was not given, is now 64"))
      // Held by another.
      let job = try material.job(options())
      let plan = try job.plan(material.videos())
      #expect(throws: FolderLock.Failure.held(material.out.relativePath)) {
        try material.run(options())
      }
      withExtendedLifetime(plan) {}
      // Somebody else's manifest.
      let foreign = material.folder.appendingPathComponent("foreign")
      try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: true)
      try Data("path,label\n".utf8).write(to: foreign.appendingPathComponent("manifest.csv"))
      #expect(throws: ExtractionError.foreign(folder: foreign.relativePath)) {
        try material.run(options(), out: "foreign")
      }
      #expect(throws: ExtractionError.self) {
        try material.run(options(), out: "videos/real/a.mp4")
      }
    }
  }

  @Test func videosThatChangedAreNamed() throws {
    try ExtractionMaterial.with(real: ["a"], fake: ["b"]) { material in
      try material.run(options())
      let before = try material.contents()
      try material.addVideo("real/a.mp4", grey: 10, 9)
      let summary = try material.run(options())
      #expect(summary.failures.count == 1)
      #expect(summary.failures.first?.text.contains("has changed since it was extracted") == true)
      #expect(try material.contents() == before)
    }
  }
}
