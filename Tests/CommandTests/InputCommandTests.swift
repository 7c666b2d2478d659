import DFKit
import Foundation
import TestSupport
import Testing

/// What commands do with folders, odd names and lists of labels.
@Suite struct InputCommandTests {
  private func withPictures(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      let media = folder.appendingPathComponent("media")
      try FileManager.default.createDirectory(at: media, withIntermediateDirectories: true)
      try Material.picture(media.appendingPathComponent("a.png"))
      try Material.picture(media.appendingPathComponent("b.png"), seed: 2)
      try FileManager.default.moveItem(
        at: media.appendingPathComponent("b.png"), to: media.appendingPathComponent("b.odd"))
      try Data("words".utf8).write(to: media.appendingPathComponent("c.txt"))
      try body(folder)
    }
  }

  @Test func whatIsPassedOverIsSaid() throws {
    try withPictures { folder in
      let result = try Tool.run(
        ["classify", "media", "--weights", "b0.safetensors", "--json"], in: folder)
      #expect(result.status == 0)
      let entries: [[String: Any]] = try result.json()
      #expect(entries.map { $0["file"] as? String } == ["media/a.png", "media/b.odd"])
      #expect(result.errors == "dfkit: 1 file skipped: .txt\n")
    }
  }

  #if os(Linux)
    @Test func namesOfAnyBytesCanBeGiven() throws {
      try withPictures { folder in
        // A shell hands over bytes that Foundation cannot.
        let result = try Tool.run(
          [
            "-c",
            #"mv media/a.png "$(printf 'x\377.png')"; "$0" classify "$(printf 'x\377.png')" --json"#
              + " --weights b0.safetensors", Tool.url.path,
          ], in: folder, program: URL(fileURLWithPath: "/bin/sh"))
        #expect(result.status == 0, "\(result.errors)")
        let entries: [[String: Any]] = try result.json()
        #expect(entries.map { $0["file"] as? String } == ["x\u{FFFD}.png"])
        #expect(entries.first?["probability"] is Double)
      }
    }
  #endif

  @Test func namesWithADashCanBeGiven() throws {
    try withPictures { folder in
      try FileManager.default.moveItem(
        at: folder.appendingPathComponent("media/a.png"),
        to: folder.appendingPathComponent("-dash.png"))
      let options = ["--weights", "b0.safetensors"]
      let bare = try Tool.run(["classify", "-dash.png"] + options, in: folder)
      #expect(bare.status == 64 && bare.output.isEmpty)
      #expect(bare.errors.contains("write ./-dash.png"))
      for given in [options + ["./-dash.png"], options + ["--", "-dash.png"]] {
        let result = try Tool.run(["classify"] + given, in: folder)
        #expect(result.status == 0 && result.output.contains("-dash.png"), "\(result.errors)")
      }
    }
  }

  @Test func aTerminalShowsErrorsOnceAndWithinItsWidth() throws {
    try withPictures { folder in
      let broken = folder.appendingPathComponent("media/broken.png")
      try Data("no picture at all".utf8).write(to: broken)
      let arguments = ["classify", "media", "--weights", "b0.safetensors"]
      let (status, output) = try Tool.runOnTerminal(arguments, columns: 60, in: folder)
      #expect(status == 1)
      let lines = output.split(separator: "\n").filter { !$0.contains("\u{1B}[K") }
      #expect(lines.count { $0.contains("broken.png") } == 1, "\(output)")
      #expect(lines.allSatisfy { $0.count <= 60 }, "\(output)")
      // Elsewhere both have it, whole: one is kept, the other read.
      let piped = try Tool.run(arguments, in: folder)
      #expect(piped.errors.contains("broken.png") && piped.output.contains("broken.png"))
      #expect(piped.output.split(separator: "\n").contains { $0.count > 60 })
    }
  }
}

/// Lists of labels with rows that name no file.
@Suite struct LabelCommandTests {
  private func withClips(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.detector(folder.appendingPathComponent("r.safetensors"))
      let videos = folder.appendingPathComponent("videos")
      try FileManager.default.createDirectory(at: videos, withIntermediateDirectories: true)
      for name in ["a.mp4", "b.mp4"] {
        try FileManager.default.copyItem(
          at: Paths.fixture("media/plain.mp4"), to: videos.appendingPathComponent(name))
      }
      try Data(
        "filename\tlabel\na.mp4\tREAL\nb.mp4\tFAKE\nmissing.mp4\tFAKE\nalso/gone.mp4\tREAL\n".utf8
      )
      .write(to: folder.appendingPathComponent("labels.csv"))
      try body(folder)
    }
  }

  private static let missing =
    "labels.csv: 2 rows name files that do not exist: missing.mp4 (line 4), also/gone.mp4 (line 5)"

  @Test func extractNamesThem() throws {
    try withClips { folder in
      let arguments = [
        "extract", "videos", "--labels", "labels.csv", "--frames", "1", "--detector-weights",
        "r.safetensors", "--out",
      ]
      let strict = try Tool.run(arguments + ["strict", "--strict"], in: folder)
      #expect(strict.status == 1 && strict.errors.contains(Self.missing), "\(strict.errors)")
      let made = folder.appendingPathComponent("strict/extract.json")
      #expect(!FileManager.default.fileExists(atPath: made.path))
      let lenient = try Tool.run(arguments + ["out"], in: folder)
      #expect(lenient.status == 0 && lenient.output.contains(Self.missing), "\(lenient.output)")
      let again = try Tool.run(arguments + ["out", "--json"], in: folder)
      let facts: [String: Any] = try again.json()
      let rows = try #require(facts["rowsWithoutFile"] as? [[String: Any]])
      #expect(rows.map { $0["file"] as? String } == ["missing.mp4", "also/gone.mp4"])
      #expect(rows.map { $0["line"] as? Int } == [4, 5])
      #expect((facts["passedOver"] as? [String: Int])?.isEmpty == true)
    }
  }

  @Test func evaluateNamesThem() throws {
    try withClips { folder in
      try Data(Material.recipe.utf8).write(to: folder.appendingPathComponent("tiny.yaml"))
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      let arguments = [
        "evaluate", "videos", "--labels", "labels.csv", "--recipe", "tiny.yaml", "--weights",
        "only=b0.safetensors", "--detector-weights", "r.safetensors", "--cache", "none", "--json",
      ]
      let strict = try Tool.run(arguments + ["--strict"], in: folder)
      #expect(strict.status == 1 && strict.output.isEmpty)
      #expect(strict.errors.contains(Self.missing), "\(strict.errors)")
      let lenient = try Tool.run(arguments, in: folder)
      #expect(lenient.status == 0 && lenient.errors.contains(Self.missing), "\(lenient.errors)")
      let facts: [String: Any] = try lenient.json()
      #expect((facts["rowsWithoutFile"] as? [Any])?.count == 2)
      let evaluation = try #require(facts["evaluation"] as? [String: Any])
      #expect(evaluation["calibrated"] as? Bool == false)
    }
  }
}
