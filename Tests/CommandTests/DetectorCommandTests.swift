import DFKit
import Foundation
import TestSupport
import Testing

/// `detector`
@Suite struct DetectorCommandTests {
  /// Writes eight drawn heads, two of them held out, and `faces.csv`.
  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label,split,box,landmarks"]
      for index in 0..<8 {
        let name = "face\(index).png"
        var picture = Image(width: 80, height: 80) { $0.initialize(repeating: UInt8(9 * index)) }
        picture.drawLine(
          fromX: 40, fromY: 34, toX: 40, toY: 46, color: Color(red: 230, green: 170, blue: 140),
          thickness: 44)
        for x in [32, 48] { picture.drawDisc(x: Float(x), y: 34, radius: 4, color: .black) }
        picture.drawLine(fromX: 33, fromY: 54, toX: 47, toY: 54, color: .red, thickness: 4)
        try ImageFile.write(picture, to: folder.appendingPathComponent(name))
        let split = index < 6 ? "train" : "validation"
        lines.append("\(name),REAL,\(split),18 12 62 68,32 34 48 34 40 44 33 54 47 54")
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("faces.csv"))
      try body(folder)
    }
  }

  @Test func trainsGoesOnAndJudges() throws {
    try withMaterial { folder in
      let arguments = [
        "detector", "train", "--data", "faces.csv", "--output", "run", "--steps", "20", "--batch",
        "2", "--size", "64", "--threads", "1",
      ]
      let train = try Tool.run(arguments, in: folder)
      #expect(train.status == 0, "\(train.errors)")
      #expect(train.output.contains("6 training pictures, 2 held out"))
      #expect(train.output.contains("done; weights: run/best.safetensors"))
      func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent("run/\(name)"), encoding: .utf8)
      }
      #expect(try text("metrics.csv").split(separator: "\n").count == 2)
      #expect(try text("log.txt").contains("begins"))
      #expect(try text("plot.svg").hasPrefix("<svg"))

      let again = try Tool.run(arguments, in: folder)
      #expect(again.status == 1)
      #expect(again.errors.contains("--resume"))
      // What is not given again is as the run began: the data, 20 steps of 2 scenes of 64 pixels.
      let resume = ["detector", "train", "--resume", "--output", "run"]
      let resumed = try Tool.run(resume, in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output.contains("6 training pictures, 2 held out"))
      let other = try Tool.run(resume + ["--seed", "5"], in: folder)
      #expect(other.status == 1)
      #expect(other.errors.contains("seed: was 0, is now 5"))
      for command in [["train"], ["identity", "train"]] {
        let wrong = try Tool.run(command + ["--resume", "--output", "run"], in: folder)
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("'dfkit detector train'"), "\(wrong.errors)")
      }
      // A run of a version that wrote no run.json goes on where everything is given.
      let facts = folder.appendingPathComponent("run/run.json")
      let begun = try Data(contentsOf: facts)
      try FileManager.default.removeItem(at: facts)
      #expect(try Tool.run(arguments + ["--resume"], in: folder).status == 0)
      let without = try Tool.run(resume, in: folder)
      #expect(without.status != 0 && without.errors.contains("--data"), "\(without.errors)")
      try Data("{}".utf8).write(to: facts)
      let damaged = try Tool.run(resume, in: folder)
      #expect(damaged.status == 1 && damaged.errors.contains("run.json"), "\(damaged.errors)")
      try begun.write(to: facts)

      let judge = try Tool.run(
        [
          "detector", "evaluate", "--data", "faces.csv", "--detector-weights",
          "run/best.safetensors", "--scenes", "6", "--size", "96", "--json",
        ], in: folder)
      #expect(judge.status == 0, "\(judge.errors)")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(judge.output.utf8)) as? [String: Any])
      #expect(report["scenes"] as? Int == 6)
      #expect((report["groups"] as? [Any])?.isEmpty == false)

      let detect = try Tool.run(
        ["detect", "face0.png", "--detector-weights", "run/best.safetensors", "--json"],
        in: folder)
      #expect(detect.status == 0, "\(detect.errors)")

      let sheet = try Tool.run(
        [
          "detector", "train", "--data", "faces.csv", "--output", "none", "--size", "64",
          "--show-scenes", "scenes.png",
        ], in: folder)
      #expect(sheet.status == 0, "\(sheet.errors)")
      let picture = try ImageFile.read(folder.appendingPathComponent("scenes.png"))
      #expect(picture.width == 6 * 64 && picture.height == 4 * 64)
      #expect(
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent("none").path))
    }
  }

  @Test func whatCannotBeIsRefused() throws {
    try withMaterial { folder in
      let plain = "path,label\nface0.png,REAL\nface1.png,REAL\n"
      try Data(plain.utf8).write(to: folder.appendingPathComponent("plain.csv"))
      for (arguments, word) in [
        (["train", "--data", "faces.csv", "--output", "x", "--steps", "1"], "--steps"),
        (["train", "--data", "faces.csv", "--output", "x", "--size", "100"], "multiple of 32"),
        (["train", "--output", "x"], "--data"),
        (["train", "--data", "plain.csv", "--output", "x"], "held out"),
        (["train", "--data", "faces.csv", "--output", "x", "--resume"], "checkpoint"),
        (["train", "--data", "faces.csv", "--output", "x", "--init", "faces.csv"], "faces.csv"),
        (["evaluate", "--data", "nowhere.csv"], "nowhere.csv"),
        (["evaluate", "--data", "faces.csv", "--scenes", "0"], "--scenes"),
      ] {
        let result = try Tool.run(["detector"] + arguments, in: folder)
        #expect(result.status != 0, "\(arguments)")
        #expect(result.errors.contains(word), "\(arguments): \(result.errors)")
      }
    }
  }
}
