import DFKit
import Foundation
import TestSupport
import Testing

/// `identity`
@Suite struct IdentityCommandTests {
  /// Writes made-up faces of ten named people and a video.
  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label,person,split"]
      for index in 0..<18 {
        let name = "face\(10 + index).png"
        let isVideo = index >= 10
        try Material.picture(
          folder.appendingPathComponent(name), width: 40, height: 40,
          seed: UInt64(isVideo ? 50 : index))
        let part = isVideo ? index < 14 : index < 6
        lines.append("\(name),REAL,\(isVideo ? "" : "p\(index)"),\(part ? "train" : "validation")")
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("people.csv"))
      try body(folder)
    }
  }

  @Test func trainsAndJudges() throws {
    try withMaterial { folder in
      let arguments = [
        "identity", "train", "--data", "people.csv", "--output", "run", "--steps", "20",
        "--pairs", "4", "--size", "32", "--threads", "1",
      ]
      let train = try Tool.run(arguments, in: folder)
      #expect(train.status == 0, "\(train.errors)")
      #expect(train.output.contains("10 training pictures, 8 held out"))
      #expect(train.output.contains("done; weights: run/best.safetensors"))
      let metrics = try String(
        contentsOf: folder.appendingPathComponent("run/metrics.csv"), encoding: .utf8)
      #expect(metrics.split(separator: "\n").count == 2)
      #expect(
        try String(contentsOf: folder.appendingPathComponent("run/plot.svg"), encoding: .utf8)
          .hasPrefix("<svg"))

      let again = try Tool.run(
        ["identity", "train", "--data", "people.csv", "--output", "run"], in: folder)
      #expect(again.status == 1)
      #expect(again.errors.contains("name another folder"))
      let resumed = try Tool.run(
        ["identity", "train", "--resume", "--output", "run", "--json"], in: folder)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.output.split(separator: "\n").last?.contains("\"ends\"") == true)

      let judge = try Tool.run(
        [
          "identity", "evaluate", "--data", "people.csv", "--embedder",
          "run/best.safetensors", "--write", "mine.safetensors", "--plot", "plot.svg",
          "--false-links", "0.1", "--json",
        ], in: folder)
      #expect(judge.status == 0, "\(judge.errors)")
      let report = try #require(
        try JSONSerialization.jsonObject(with: Data(judge.output.utf8)) as? [String: Any])
      let threshold = try #require(report["thresholdAtFalseLinkRate"] as? Double)
      let strangers = try #require(report["strangers"] as? [String: Any])
      #expect(strangers["pairs"] as? Int == 6 + 4 * 6)
      let mine = try FaceEmbedders.load(folder.appendingPathComponent("mine.safetensors"))
      #expect(abs(Double(mine.lookAlikeThreshold) - threshold) < 1e-6)
      #expect(
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("plot.svg").path))

      let table = try Tool.run(
        ["identity", "evaluate", "--data", "people.csv"], in: folder)
      #expect(table.status == 0, "\(table.errors)")
      #expect(table.output.contains("two views of one picture"))
      #expect(table.output.contains("(the embedder's own)"))
    }
  }

  @Test func theShippedEmbedderTellsPicturesApart() throws {
    let embedder = try FaceEmbedders.load(nil)
    #expect(embedder.name.hasPrefix("dfkit-look-alike-"))
    #expect((0.3...0.99).contains(embedder.lookAlikeThreshold))
    /// Something like a head before a wall.
    func portrait(_ seed: UInt64) -> Image {
      var generator = SeededGenerator(seed: seed)
      func color() -> Color {
        Color(
          red: UInt8(truncatingIfNeeded: generator.next()),
          green: UInt8(truncatingIfNeeded: generator.next()),
          blue: UInt8(truncatingIfNeeded: generator.next()))
      }
      var picture = Image(width: 120, height: 120) { $0.initialize(repeating: 120) }
      for (x, y, width, height) in [
        (0, 0, 120, 50), (30, 20, 60, 80), (30, 12, 60, 22), (42, 48, 12, 6), (66, 48, 12, 6),
        (48, 80, 24, 6), (10, 100, 100, 20),
      ] {
        let shift = Int(generator.next() % 9) - 4
        picture.fillRectangle(
          x: x + shift, y: y + shift, width: width, height: height + shift, color: color())
      }
      return picture.blurred(sigma: 1.5)
    }
    let (one, other) = (portrait(1), portrait(2))
    let changed = one.withBrightness(1.1, contrast: 0.95)
      .resized(width: 3 * one.width / 4, height: 3 * one.height / 4, method: .area)
    let rows = try embedder.embeddings([one, changed, other])
    let products = rows.matmul(rows, transposingRight: true)
    #expect(products[0, 1] > products[0, 2] + 0.2)
    expectClose([products[0, 0]], [1], tolerance: 1e-4)
  }

  @Test func whatCannotBeIsRefused() throws {
    try withMaterial { folder in
      for (arguments, word) in [
        (["train", "--data", "people.csv", "--output", "x", "--steps", "1"], "--steps"),
        (["train", "--data", "people.csv", "--output", "x", "--size", "8"], "--size"),
        (["evaluate", "--data", "people.csv", "--false-links", "2"], "--false-links"),
        (["evaluate", "--data", "nowhere.csv"], "nowhere.csv"),
        (["evaluate", "--data", "people.csv", "--embedder", "people.csv"], "people.csv"),
      ] {
        let result = try Tool.run(["identity"] + arguments, in: folder)
        #expect(result.status != 0)
        #expect(result.errors.contains(word), "\(arguments): \(result.errors)")
      }
    }
  }
}
