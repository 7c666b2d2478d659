import DFKit
import Foundation
import TestSupport
import Testing

/// `predict` and `detect`, with random weights: what they say means nothing, how they say it does.
@Suite struct PredictCommandTests {
  private static let options = [
    "--recipe", "tiny.yaml", "--weights", "only=b0.safetensors", "--detector-weights",
    "r.safetensors",
  ]

  /// A folder with weights, a recipe, and `pictures`.
  private func withMaterial(pictures: [String], _ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      try Material.detector(folder.appendingPathComponent("r.safetensors"))
      try Data(Material.recipe.utf8).write(to: folder.appendingPathComponent("tiny.yaml"))
      let media = folder.appendingPathComponent("media")
      try FileManager.default.createDirectory(at: media, withIntermediateDirectories: true)
      for (seed, name) in pictures.enumerated() {
        try Material.picture(
          media.appendingPathComponent(name), width: 96, height: 80, seed: UInt64(seed))
      }
      try body(folder)
    }
  }

  @Test func wholePredictionsAreTimed() throws {
    try withMaterial(pictures: ["a.png", "b.png"]) { folder in
      let result = try Tool.run(
        ["bench", "video", "media", "--repeats", "2", "--json"] + Self.options, in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let entries: [[String: Any]] = try result.json()
      #expect(entries.map { $0["file"] as? String } == ["media/a.png", "media/b.png"])
      for entry in entries {
        #expect(entry["work"] as? String == "video" && entry["architecture"] as? String == "tiny")
        #expect(entry["size"] as? String == "96x80" && entry["frames"] as? Int == 1)
        #expect(entry["repeats"] as? Int == 2 && entry["warmUp"] as? Int == 0)
        let stages = try #require(entry["stages"] as? [String: [String: Double]])
        #expect(
          Set(stages.keys) == ["load", "decode", "detect", "track", "crop", "classify", "other"])
        let seconds = try #require(entry["seconds"] as? [String: Double])
        #expect((seconds["median"] ?? 0) > 0 && (entry["framesPerSecond"] as? Double ?? 0) > 0)
      }
      let table = try Tool.run(
        ["bench", "video", "media/a.png", "--repeats", "1"] + Self.options, in: folder)
      #expect(table.output.contains("recipe") && table.output.contains("classify"))
      let missing = try Tool.run(["bench", "video", "no.mp4"] + Self.options, in: folder)
      #expect(missing.status == 1 && missing.errors.contains("no.mp4"))
    }
  }

  @Test func everyFileGetsAnEntryInTheDocumentedForm() throws {
    try withMaterial(pictures: ["a.png", "b.png"]) { folder in
      try Data("broken".utf8).write(to: folder.appendingPathComponent("media/c.mp4"))
      let result = try Tool.run(
        ["predict", "media", "missing.mov", "--json"] + Self.options, in: folder)
      #expect(result.status == 1)
      let entries: [[String: Any]] = try result.json()
      let byFile = Dictionary(
        uniqueKeysWithValues: entries.map { ($0["file"] as? String ?? "", $0) })
      #expect(
        Set(byFile.keys) == ["media/a.png", "media/b.png", "media/c.mp4", "missing.mov"])
      for entry in entries {
        let verdict = try #require(entry["verdict"] as? String)
        let probability = entry["probability"] as? Double
        switch verdict {
        case "fake": #expect(try #require(probability) >= 0.5)
        case "real": #expect(try #require(probability) < 0.5)
        default:
          #expect(verdict == "undecided")
          #expect((entry["probability"] is NSNull) == (entry["reason"] as? String != "unsure"))
          #expect(entry["reason"] is String)
        }
        #expect(entry["frames"] is Int)
        #expect(entry["facesFound"] is Int)
        #expect(entry["members"] is [Any])
        #expect(entry["frameScores"] is [Any])
        #expect(entry["seconds"] is Double)
      }
      for name in ["media/c.mp4", "missing.mov"] {
        #expect(byFile[name]?["reason"] as? String == "unreadable")
        #expect((byFile[name]?["error"] as? String)?.contains(name) == true)
        #expect(result.errors.contains(name))
      }
    }
  }

  @Test func submissionsHaveALineForEachFile() throws {
    try withMaterial(pictures: ["a.png", "b.png"]) { folder in
      try Data("broken".utf8).write(to: folder.appendingPathComponent("media/c.mp4"))
      let result = try Tool.run(["predict", "media/*", "--csv"] + Self.options, in: folder)
      #expect(result.status == 1)
      let lines = result.output.split(separator: "\n")
      #expect(lines.first == "filename,label")
      #expect(lines.count == 4)
      #expect(lines.contains("c.mp4,0.5"))
    }
  }

  @Test func undecidedIsAnAnswer() throws {
    try withMaterial(pictures: []) { folder in
      // Nothing but grey: no detector of any weights is sure of a face at this threshold.
      try ImageFile.write(
        Image(width: 64, height: 64) { $0.update(repeating: 128) },
        to: folder.appendingPathComponent("media/grey.png"))
      let result = try Tool.run(
        ["predict", "media", "--json", "--min-face", "10000"] + Self.options, in: folder)
      #expect(result.status == 0)
      let entries: [[String: Any]] = try result.json()
      #expect(entries[0]["verdict"] as? String == "undecided")
      #expect(entries[0]["reason"] as? String == "noFaces")
      let searched = entries[0]["detector"] as? [String: Any]
      #expect((searched?["weights"] as? String)?.hasSuffix("r.safetensors") == true)
      #expect(searched?["frameScale"] as? Double == 0.5 && searched?["secondLooks"] as? Int == 0)
      let csv = try Tool.run(
        ["predict", "media", "--csv", "--min-face", "10000"] + Self.options, in: folder)
      #expect(csv.output == "filename,label\ngrey.png,0.5\n")
      let table = try Tool.run(
        ["predict", "media", "--min-face", "10000"] + Self.options, in: folder)
      #expect(table.status == 0)
      #expect(table.output.contains("no face found"))
      // Nothing but the table: no progress bar where there is no terminal.
      #expect(table.errors.isEmpty)
    }
  }

  @Test func detectListsFramesAndDrawsThem() throws {
    try withMaterial(pictures: ["a.png"]) { folder in
      let clip = Paths.fixture("media/plain.mp4").path
      let result = try Tool.run(
        [
          "detect", "media/a.png", clip, "--frames", "3", "--draw", "boxes", "--json",
          "--detector-weights", "r.safetensors",
        ], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let entries: [[String: Any]] = try result.json()
      #expect(entries.count == 4)
      #expect(entries[0]["width"] as? Int == 96)
      #expect(entries[0]["height"] as? Int == 80)
      #expect(entries[0]["time"] == nil)
      #expect(entries.dropFirst().allSatisfy { $0["time"] is Double })
      for entry in entries {
        for face in try #require(entry["faces"] as? [[String: Any]]) {
          #expect((face["box"] as? [Double])?.count == 4)
          #expect((face["landmarks"] as? [[Double]])?.map(\.count) == [2, 2, 2, 2, 2])
          #expect(face["score"] is Double)
          #expect(face["track"] is Int)
        }
      }
      // The last entry of each file has its tracks.
      #expect(entries.map { $0["tracks"] is [Any] } == [true, false, false, true])
      let drawn = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/boxes")
      #expect(drawn.sorted() == ["a.png", "plain.png"])
    }
  }

  @Test func drawingsNeverReplaceInputs() throws {
    try withMaterial(pictures: ["a.png", "b.jpg"]) { folder in
      let original = try Data(contentsOf: folder.appendingPathComponent("media/a.png"))
      let result = try Tool.run(
        [
          "detect", "media", "--draw", "media", "--json", "--detector-weights", "r.safetensors",
        ], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("media/a.png: cannot be written: it is an input"))
      #expect(try Data(contentsOf: folder.appendingPathComponent("media/a.png")) == original)
      // The other one has no such trouble.
      #expect(
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("media/b.png").path))
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullOutputIsAnError() throws {
    let process = Process()
    let errors = Pipe()
    process.executableURL = Tool.url
    process.arguments = ["recipe", "list"]
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = errors
    try process.run()
    let message = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(message.contains("standard output cannot be written"), "\(message)")
  }

  @Test func anInterruptKeepsWhatIsDone() throws {
    try withMaterial(pictures: []) { folder in
      let count = 400
      for i in 0..<count {
        try Material.picture(
          folder.appendingPathComponent("media/\(i).png"), width: 320, height: 240, seed: 1)
      }
      let running = try Running(
        ["detect", "media", "--json", "--detector-weights", "r.safetensors"], in: folder)
      let deadline = Date().addingTimeInterval(60)
      while !running.output.contains("\"file\""), running.isRunning, Date() < deadline {
        Thread.sleep(forTimeInterval: 0.01)
      }
      running.interrupt()
      let result = try running.finish()
      #expect(result.status == 130)
      let entries: [[String: Any]] = try result.json()
      #expect((1..<count).contains(entries.count))
    }
  }

  @Test(.enabled(if: Paths.hasReference))
  func realVideosGetVerdictsOnFaces() throws {
    try withMaterial(pictures: []) { folder in
      let video = Paths.reference("videos/lynaeydofd.mp4").path
      let detector = Paths.reference("weights/retinaface-mobilenet0.25.pth").path
      let result = try Tool.run(
        [
          "predict", video, "--recipe", "tiny.yaml", "--weights", "only=b0.safetensors",
          "--detector-weights", detector, "--json",
        ], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let entries: [[String: Any]] = try result.json()
      #expect(entries[0]["frames"] as? Int == 3)
      #expect(entries[0]["facesFound"] as? Int == 3)
      let members = try #require(entries[0]["members"] as? [[String: Any]])
      #expect(members.map { $0["name"] as? String } == ["only"])
      let frames = try #require(entries[0]["frameScores"] as? [[String: Any]])
      let scores = frames.compactMap { ($0["scores"] as? [String: Double])?["only"] }
      #expect(scores.count == 3)
      let mean = scores.reduce(0, +) / 3
      let probability = try #require(entries[0]["probability"] as? Double)
      #expect(abs(probability - min(max(mean, 0.01), 0.99)) < 1e-5)
    }
  }
}
