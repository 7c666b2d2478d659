import DFKit
import Foundation
import TestSupport
import Testing

/// `calibrate`, with a network of random weights on noise, whose logits tell light from dark.
@Suite struct CalibrateCommandTests {
  private func noise(isDark: Bool, seed: UInt64) -> Image {
    var generator = SeededGenerator(seed: seed)
    return Image(width: 40, height: 40) { pixels in
      for i in pixels.indices {
        pixels[i] = UInt8(truncatingIfNeeded: generator.next()) / (isDark ? 3 : 1)
      }
    }
  }

  /// A folder with weights, and faces in three videos of either label: three quarters of the fakes
  /// have the brightness that the network gives the higher logits, as has a quarter of the real
  /// ones.
  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      let weights = folder.appendingPathComponent("b0.safetensors")
      try Material.classifier(weights)
      let model = try ClassifierModel(try StateDict.read(weights))
      let probes = model.logits(
        of: [noise(isDark: true, seed: 90), noise(isDark: false, seed: 91)]
      ).map { $0[0] }
      let fakesAreDark = probes[0] > probes[1]
      let faces = folder.appendingPathComponent("faces")
      try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
      var lines = ["path,label,video,split"]
      for index in 0..<12 {
        for label in ["REAL", "FAKE"] {
          let name = "\(label)\(index).png"
          let isTypical = index % 4 != 0
          let isDark = ((label == "FAKE") == isTypical) == fakesAreDark
          try ImageFile.write(
            noise(isDark: isDark, seed: UInt64(index * 2 + (label == "REAL" ? 0 : 1))),
            to: faces.appendingPathComponent(name))
          lines.append("\(name),\(label),\(label)\(index / 4),\(index < 8 ? "validation" : "test")")
        }
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: faces.appendingPathComponent("manifest.csv"))
      try body(folder)
    }
  }

  private static let arguments = ["calibrate", "--weights", "b0.safetensors", "--data", "faces"]

  @Test func aCalibrationIsFittedWrittenAndUsed() throws {
    try withMaterial { folder in
      let arguments =
        Self.arguments + ["--split", "all", "--output", "c.safetensors", "--plot", "r.svg"]
      let result = try Tool.run(arguments + ["--scores", "s.csv", "--json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let report: [String: Any] = try result.json()
      #expect(report["faces"] as? Int == 24 && report["groups"] as? Int == 6)
      let calibration = try #require(report["calibration"] as? [String: Double])
      let scale = try #require(calibration["scale"])
      let offset = try #require(calibration["offset"])
      let frames = try #require(report["frames"] as? [String: Any])
      func logLoss(_ time: String) throws -> Double {
        let figures = try #require(frames[time] as? [String: [String: Any]])
        return try #require(figures["logLoss"]?["value"] as? Double)
      }
      #expect(try logLoss("after") <= logLoss("before") + 1e-9)

      let rows = try String(
        contentsOf: folder.appendingPathComponent("s.csv"), encoding: .utf8
      ).split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
      #expect(rows.count == 25 && rows[0] == ["path", "label", "video", "group", "logit"])
      #expect(
        try String(contentsOf: folder.appendingPathComponent("r.svg"), encoding: .utf8)
          .hasSuffix("</svg>\n"))

      // The file's probabilities are calibrated, its logits are not.
      let before: [[String: Any]] = try Tool.run(
        ["classify", "faces/REAL0.png", "--weights", "b0.safetensors", "--json"], in: folder
      ).json()
      let after: [[String: Any]] = try Tool.run(
        ["classify", "faces/REAL0.png", "--weights", "c.safetensors", "--json"], in: folder
      ).json()
      let logit = try #require((after[0]["logits"] as? [Double])?.first)
      #expect(logit == (before[0]["logits"] as? [Double])?.first)
      let row = try #require(rows.first { $0[0] == "REAL0.png" })
      #expect(abs((Double(row[4]) ?? .nan) - logit) < 1e-4)
      let probability = try #require(after[0]["probability"] as? Double)
      #expect(abs(probability - 1 / (1 + exp(-(scale * logit + offset)))) < 1e-5)
      let info = try Tool.run(["weights", "info", "c.safetensors"], in: folder)
      for text in ["calibration.scale: \(scale)", "calibration.videos.logLoss", "calibration.part"]
      {
        #expect(info.output.contains(text), "\(text)")
      }
      // Calibrating again starts from the raw logits: the same is found.
      let again: [String: Any] = try Tool.run(
        [
          "calibrate", "--weights", "c.safetensors", "--data", "faces", "--split", "all", "--json",
        ], in: folder
      ).json()
      let second = try #require(again["calibration"] as? [String: Double])
      #expect(abs((second["scale"] ?? 0) - scale) < 1e-9)
      #expect(frames["crossFitted"] is NSNull, "there are six groups only")
      let table = try Tool.run(arguments, in: folder)
      for text in ["videos calibrated", "P(fake) = sigmoid(", "For the recipe:"] {
        #expect(table.output.contains(text), "\(text)")
      }
    }
  }

  private static let pair = """
    name: pair
    members:
      - {name: small, architecture: efficientnet-b0, size: 64}
      - {name: large, architecture: efficientnet-b0, size: 64}
    """
  private static let pairArguments = [
    "--recipe", "pair.yaml", "--weights", "small=c.safetensors", "--weights",
    "large=b0.safetensors",
  ]

  /// The recipe, and beside the network's weights the same with a calibration.
  private func withPair(_ body: (URL) throws -> Void) throws {
    try withMaterial { folder in
      try Data(Self.pair.utf8).write(to: folder.appendingPathComponent("pair.yaml"))
      let result = try Tool.run(
        Self.arguments + ["--split", "all", "--output", "c.safetensors"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      try body(folder)
    }
  }

  @Test func aWholeRecipeIsCalibrated() throws {
    try withPair { folder in
      let file = folder.appendingPathComponent("pair.yaml")
      let arguments =
        ["calibrate", "--data", "faces", "--split", "all", "--cache", "cache"] + Self.pairArguments
      let result = try Tool.run(arguments + ["--json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let report: [String: Any] = try result.json()
      #expect(report["recipe"] as? String == "pair" && report["calibration"] == nil)
      let members = try #require(report["members"] as? [[String: Any]])
      #expect(members.map { $0["name"] as? String } == ["small", "large"])
      #expect(members.allSatisfy { $0["calibration"] is NSNull })
      let calibration = try #require(report["videoCalibration"] as? [String: Double])
      let sources = try #require(report["sources"] as? [[String: Any]])
      #expect(sources.count == 1 && sources[0]["source"] is NSNull)
      // Scores are kept: nothing is judged again, and the same is found.
      let kept = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("cache").path)
      #expect(kept.count == 1)
      #expect(try Tool.run(arguments + ["--json"], in: folder).output == result.output)

      let table = try Tool.run(arguments, in: folder)
      #expect(table.output.hasPrefix("recipe    pair\n"), "\(table.output)")
      let words = table.output.components(separatedBy: "For the recipe:\n\n")
      let found = try #require(words.last?.components(separatedBy: "\n\n").first)
      try Data((Self.pair + "\n" + found + "\n").utf8).write(to: file)
      let entries: [[String: Any]] = try Tool.run(
        ["classify", "faces/FAKE1.png", "--json"] + Self.pairArguments, in: folder
      ).json()
      let judged = try #require(entries[0]["members"] as? [[String: Any]])
      let scores = judged.compactMap { $0["probability"] as? Double }
      try #require(scores.count == 2)
      let mean = (scores[0] + scores[1]) / 2
      let logit =
        (calibration["scale"] ?? 0) * log(mean / (1 - mean)) + (calibration["offset"] ?? 0)
      let expected = min(max(1 / (1 + exp(-logit)), 0.01), 0.99)
      #expect(abs((entries[0]["probability"] as? Double ?? 0) - expected) < 1e-4)
      #expect(entries[0]["verdict"] is String)

      let wrong = try Tool.run(arguments + ["--output", "out"], in: folder)
      #expect(wrong.status == 64 && wrong.errors.contains("--fit-members"))
      let written = try Tool.run(arguments + ["--fit-members", "--output", "out"], in: folder)
      #expect(written.status == 0 && written.output.contains("faces by large calibrated"))
      let info = try Tool.run(["weights", "info", "out/large.safetensors"], in: folder)
      #expect(info.output.contains("calibration.scale"))
      let sized = try Tool.run(arguments + ["--size", "64"], in: folder)
      #expect(sized.status == 64 && sized.errors.contains("options for one network"))
    }
  }

  @Test func membersAreWeighedOnOtherPeople() throws {
    try withPair { folder in
      // The truth is what the network says of each picture, but for two of them.
      let model = try ClassifierModel(
        try StateDict.read(folder.appendingPathComponent("b0.safetensors")))
      let names = (0..<12).flatMap { ["faces/REAL\($0).png", "faces/FAKE\($0).png"] }
      let logits = try names.map { name in
        model.logits(of: [try ImageFile.read(folder.appendingPathComponent(name))])[0][0]
      }
      let order = names.indices.sorted { logits[$0] < logits[$1] }
      let lines = order.enumerated().map { rank, index in
        let isFake = (rank >= 12) != (rank == 8 || rank == 15)
        return "\(names[index]),\(isFake ? "FAKE" : "REAL"),p\(rank % 12)"
      }
      try Data((["path,label,person"] + lines).joined(separator: "\n").utf8)
        .write(to: folder.appendingPathComponent("people.csv"))
      let arguments =
        ["evaluate", "--data", "people.csv", "--split", "all", "--cache", "cache", "--stack"]
      let result = try Tool.run(arguments + Self.pairArguments + ["--json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let facts: [String: Any] = try result.json()
      let stack = try #require(facts["stack"] as? [String: Any])
      #expect(stack["groups"] as? Int == 12 && stack["real"] as? Int == 12)
      let weights = try #require(stack["weights"] as? [[String: Any]])
      let sum = weights.reduce(0) { $0 + ($1["weight"] as? Double ?? .nan) }
      #expect(abs(sum - 1) < 1e-9)
      let rows = try #require(stack["rows"] as? [[String: Any]])
      #expect(rows.prefix(3).map { $0["way"] as? String } == ["mean", "mean of log odds", "stack"])
      #expect(rows[0]["difference"] is NSNull)
      let table = try Tool.run(arguments + Self.pairArguments, in: folder)
      #expect(table.output.contains("combination of the members, cross-validated"))
      try Data(Material.recipe.utf8).write(to: folder.appendingPathComponent("one.yaml"))
      let one = try Tool.run(
        [
          "evaluate", "--data", "people.csv", "--split", "all", "--stack", "--cache", "none",
          "--recipe", "one.yaml", "--weights", "b0.safetensors",
        ], in: folder)
      #expect(one.status == 1 && one.errors.contains("no weights to fit"), "\(one.errors)")
    }
  }

  @Test func whatCannotBeCalibratedSaysWhy() throws {
    try withMaterial { folder in
      func failure(_ extra: [String]) throws -> String {
        let result = try Tool.run(Self.arguments + extra, in: folder)
        #expect(result.status == 1 && result.output.isEmpty)
        return result.errors
      }
      #expect(try failure(["--split", "train"]).contains("has no sample with 'train'"))
      #expect(
        try failure(["--only", "FAKE", "--split", "all"]).contains("all samples for calibration"))
      #expect(try failure(["--only", "none"]).contains("path prefix"))
      #expect(try failure(["--data", "nowhere"]).contains("nowhere"))
      try Data("no picture".utf8).write(to: folder.appendingPathComponent("faces/REAL1.png"))
      #expect(try failure(["--split", "all"]).contains("REAL1.png"))
    }
  }

  @Test func recipesWithoutWeightsOfTheirOwnTrainToo() throws {
    try withMaterial { folder in
      let show = try Tool.run(["recipe", "show", "default"], in: folder)
      #expect(show.status == 0 && show.output.contains("# members: lite0-160, "))
      let sheet = try Tool.run(
        [
          "train", "--data", "faces", "--member", "lite0-160", "--show-augmentation", "sheet.png",
        ], in: folder)
      #expect(sheet.status == 0, "\(sheet.errors)")
      let silver = try Tool.run(
        ["train", "--data", "faces", "--recipe", "dfdc-silver", "--output", "o"], in: folder)
      #expect(silver.status == 1 && silver.errors.contains("name one"))
    }
  }
}
