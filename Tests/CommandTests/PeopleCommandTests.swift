import DFKit
import Foundation
import TestSupport
import Testing

/// People in `predict`, and the drawings of `detect`, through the program.
@Suite struct PeopleCommandTests {
  private static let detector = ["--detector-weights", "r.safetensors"]
  private static let predictor =
    ["--recipe", "tiny.yaml", "--weights", "only=b0.safetensors"] + detector

  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      try Material.detector(folder.appendingPathComponent("r.safetensors"))
      try Data(Material.recipe.utf8).write(to: folder.appendingPathComponent("tiny.yaml"))
      try body(folder)
    }
  }

  private func names(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test func drawingsComeInEveryForm() throws {
    try withMaterial { folder in
      let clip = Paths.fixture("media/plain.mp4").path
      for (arguments, expected) in [
        (["--frames", "3"], "plain.png"), (["--frames", "all"], "plain.mp4"),
        (["--frames", "all", "--draw-as", "sheet"], "plain.png"),
        (["--frames", "3", "--draw-as", "video"], "plain.mp4"),
        (["--frames", "1", "--draw-as", "frames"], "plain-00000.png"),
      ] {
        let result = try Tool.run(
          ["detect", clip, "--draw", "out"] + arguments + Self.detector, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let out = folder.appendingPathComponent("out")
        #expect(try names(out) == [expected])
        try FileManager.default.removeItem(at: out)
      }
    }
  }

  @Test func aFullDiskLeavesNoHalfVideo() throws {
    try withMaterial { folder in
      let clip = Paths.fixture("media/plain.mp4").path
      // Files may not grow beyond the limit, as on a full disk. FFmpeg's buffers are smaller.
      let command = """
        trap '' XFSZ; ulimit -f 1; exec "$0" detect "$1" --frames all --draw out \
        --detector-weights r.safetensors --json > /dev/null
        """
      let result = try Tool.run(
        ["-c", command, Tool.url.path, clip], in: folder,
        program: URL(fileURLWithPath: "/bin/sh"))
      #expect(result.status == 1)
      #expect(result.errors.contains("plain.mp4: cannot be written: File too large"))
      #expect(try names(folder.appendingPathComponent("out")).isEmpty)
    }
  }

  @Test func peopleAreReportedByAnyRule() throws {
    try withMaterial { folder in
      try Material.picture(folder.appendingPathComponent("a.png"), width: 96, height: 80)
      for rule in Recipe.People.Rule.allCases {
        let result = try Tool.run(
          [
            "predict", "a.png", "--people", rule.rawValue, "--faces-per-frame", "4",
            "--threshold", "0.02", "--json",
          ] + Self.predictor, in: folder)
        #expect(result.status == 0, "\(result.errors)")
        let entries: [[String: Any]] = try result.json()
        let people = try #require(entries[0]["people"] as? [[String: Any]])
        let scores = try #require(entries[0]["frameScores"] as? [[String: Any]])
        #expect(people.count == scores.count && people.count <= 4)
        #expect(
          people.map { $0["id"] as? Int }
            == scores.map { $0["person"] as? Int }.sorted {
              ($0 ?? 0) < ($1 ?? 0)
            })
      }
    }
  }

  @Test(.enabled(if: Paths.hasReference))
  func theFacesOfARealPhotographAreItsPeople() throws {
    try withMaterial { folder in
      let photo = Paths.reference("images/multiface.jpg").path
      let options = [
        "--recipe", "tiny.yaml", "--weights", "only=b0.safetensors", "--detector-weights",
        Paths.reference("weights/retinaface-mobilenet0.25.pth").path,
      ]
      let result = try Tool.run(["predict", photo, "--json"] + options, in: folder)
      let entry = try #require(try result.json([[String: Any]].self).first)
      let people = try #require(entry["people"] as? [[String: Any]])
      #expect(people.map { $0["id"] as? Int } == [1, 2, 3, 4, 5, 6])
      let probabilities = people.compactMap { $0["probability"] as? Double }
      #expect(probabilities.count == 6)
      #expect(entry["probability"] as? Double == probabilities.max())
      // From left to right.
      let scores = try #require(entry["frameScores"] as? [[String: Any]])
      let lefts = scores.sorted { ($0["person"] as? Int ?? 0) < ($1["person"] as? Int ?? 0) }
        .compactMap { ($0["box"] as? [Double])?.first }
      #expect(lefts == lefts.sorted())
      let table = try Tool.run(["predict", photo] + options, in: folder)
      #expect(table.output.contains("\n  person 6"))
      let csv = try Tool.run(["predict", photo, "--csv"] + options, in: folder)
      #expect(csv.output.split(separator: "\n").count == 2)
    }
  }
}
