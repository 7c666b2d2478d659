import Foundation
import TestSupport
import Testing

/// `export`.
@Suite struct ExportCommandTests {
  @Test func exportWritesWhatClassifyReads() throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      try Material.picture(folder.appendingPathComponent("a.png"), seed: 1)
      let export = try Tool.run(
        ["export", "--weights", "b0.safetensors", "--output", "b0.onnx", "--check", "--json"],
        in: folder)
      #expect(export.status == 0, "\(export.errors)")
      let report = try #require(try (export.json() as [[String: Any]]).first)
      #expect(report["network"] as? String == "efficientnet-b0")
      #expect(report["operationSet"] as? Int == 17)
      let check = try #require(report["check"] as? [String: Any])
      #expect(try #require(check["difference"] as? Double) < 1e-4)
      let metadata = try #require(report["metadata"] as? [String: String])
      #expect(metadata["architecture"] == "efficientnet-b0")
      #expect(metadata["weights.sha256"]?.count == 64)
      #expect(metadata["input"]?.contains("batch x channels x height x width") == true)

      let logits = try ["b0.safetensors", "b0.onnx"].map { weights in
        let result = try Tool.run(
          ["classify", "a.png", "--weights", weights, "--json"], in: folder)
        let entries: [[String: Any]] = try result.json()
        return try #require(entries.first?["logits"] as? [Double])
      }
      #expect(logits[0] == logits[1])
    }
  }

  @Test func exportRefusesWhatDoesNotFitInWords() throws {
    try Paths.withTemporaryFolder { folder in
      for (arguments, status, words) in [
        (["--output", "x.onnx"], 64, "Give one of --weights, --recipe and --detector"),
        (["--weights", "default", "--output", "x"], 1, "ends in .onnx"),
        (["--recipe", "default", "--output", "x.onnx"], 1, "lite0-160, lite2-224, lite0-192"),
        (["--recipe", "default", "--member", "b4", "--output", "x.onnx"], 64, "no member b4"),
        (["--weights", "look-alike", "--size", "64", "--output", "x.onnx"], 1, "face embedder"),
        (["--weights", "default", "--frame-size", "64x64", "--output", "x.onnx"], 1, "a detector"),
        (["--weights", "default", "--output", "none/x.onnx"], 1, "there is no folder"),
        (["--weights", "missing.pth", "--output", "x.onnx"], 1, "missing.pth"),
      ] as [([String], Int32, String)] {
        let result = try Tool.run(["export"] + arguments, in: folder)
        #expect(result.status == status, "\(arguments)")
        #expect(result.errors.contains(words), "\(arguments): \(result.errors)")
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(files.isEmpty, "\(files)")
    }
  }

  @Test func exportWritesEveryNetworkOfADetector() throws {
    try Paths.withTemporaryFolder { folder in
      let mtcnn = folder.appendingPathComponent("mtcnn")
      try FileManager.default.createDirectory(at: mtcnn, withIntermediateDirectories: true)
      try Material.mtcnn(mtcnn)
      let result = try Tool.run(
        ["export", "--detector", "mtcnn", "--detector-weights", "mtcnn", "--output", "nets"]
          + ["--check"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let files = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("nets").path)
      #expect(files.sorted() == ["onet.onnx", "pnet.onnx", "rnet.onnx"])
    }
  }
}
