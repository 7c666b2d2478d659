import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct MTCNNCommandTests {
  private func inFolder(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      let weights = folder.appendingPathComponent("mtcnn")
      try FileManager.default.createDirectory(at: weights, withIntermediateDirectories: true)
      try Material.mtcnn(weights)
      try Material.picture(folder.appendingPathComponent("a.png"))
      try body(folder)
    }
  }

  @Test func aFolderIsDescribedAndConverted() throws {
    try inFolder { folder in
      let info = try Tool.run(["weights", "info", "mtcnn", "--json"], in: folder)
      let described: [String: Any] = try info.json()
      #expect(described["kind"] as? String == "detector")
      #expect(described["architecture"] as? String == "mtcnn")
      #expect(described["scheme"] as? String == "facenet-pytorch")
      #expect(described["norm"] is NSNull)
      let tensors = try #require(described["tensors"] as? [[String: Any]])
      #expect(tensors.contains { $0["key"] as? String == "onet.dense6_3.weight" })

      let converted = try Tool.run(
        ["weights", "convert", "mtcnn", "one.safetensors"], in: folder)
      #expect(converted.status == 0 && converted.output.contains("mtcnn"), "\(converted.errors)")
      let again: [String: Any] = try Tool.run(
        ["weights", "info", "one.safetensors", "--json"], in: folder
      ).json()
      let metadata = try #require(again["metadata"] as? [String: String])
      #expect(metadata["architecture"] == "mtcnn" && metadata["scheme"] == "facenet-pytorch")

      let options = ["detect", "a.png", "--detector", "mtcnn", "--thresholds", "0,0,0", "--json"]
      let fromFolder = try Tool.run(options + ["--detector-weights", "mtcnn"], in: folder)
      let fromFile = try Tool.run(options + ["--detector-weights", "one.safetensors"], in: folder)
      #expect(fromFolder.status == 0, "\(fromFolder.errors)")
      let results = try [fromFolder, fromFile].map { run throws -> [String: Any] in
        let frames: [[String: Any]] = try run.json()
        return try #require(frames.first)
      }
      let faces = results.compactMap { $0["faces"] as? NSArray }
      #expect(faces.count == 2 && faces[0] == faces[1] && faces[0].count > 0)
      let searched = results.compactMap { $0["detector"] as? [String: Any] }
      #expect(searched.map { $0["weights"] as? String } == ["mtcnn", "one.safetensors"])
      #expect(searched.allSatisfy { $0["frameScale"] as? Double == 1 })
    }
  }

  @Test func oneNetworkAloneSaysWhatIsMissing() throws {
    try inFolder { folder in
      let info = try Tool.run(["weights", "info", "mtcnn/pnet.safetensors"], in: folder)
      #expect(info.status == 0 && info.output.contains("mtcnn-pnet"))
      let alone = try Tool.run(
        [
          "detect", "a.png", "--detector", "mtcnn", "--detector-weights", "mtcnn/pnet.safetensors",
        ], in: folder)
      #expect(alone.status == 1)
      #expect(alone.errors.contains("pnet.safetensors: cannot read weights: it is only P-Net"))
      #expect(alone.errors.contains("rnet.pt"))
    }
  }

  @Test func weightsOfTheOtherDetectorAreNamed() throws {
    try inFolder { folder in
      try Material.detector(folder.appendingPathComponent("rf.safetensors"))
      let detect = ["detect", "a.png", "--detector-weights"]
      #expect(try Tool.run(detect + ["mtcnn", "--factor", "0.8"], in: folder).status == 0)
      #expect(try Tool.run(detect + ["rf.safetensors", "--nms", "0.3"], in: folder).status == 0)
      let retinaFace = try Tool.run(detect + ["mtcnn", "--detector", "retinaface"], in: folder)
      #expect(retinaFace.status == 1 && retinaFace.errors.contains("name the detector mtcnn"))
      let mtcnn = try Tool.run(detect + ["rf.safetensors", "--detector", "mtcnn"], in: folder)
      #expect(mtcnn.status == 1 && mtcnn.errors.contains("name the detector retinaface"))
    }
  }

  @Test func realFramesAreTimed() throws {
    try inFolder { folder in
      let bench = try Tool.run(
        [
          "bench", "detect", "--detector", "mtcnn", "--detector-weights", "mtcnn", "--frames",
          "a.png", "--size", "40x30", "--repeats", "2", "--batch", "4", "--json",
        ], in: folder)
      let results: [[String: Any]] = try bench.json()
      let result = try #require(results.first)
      #expect(result["architecture"] as? String == "mtcnn")
      #expect(result["size"] as? String == "40x30" && result["frames"] as? Int == 1)
      #expect(result["faces"] is Int && result["batch"] as? Int == 4)
      let missing = try Tool.run(
        ["bench", "detect", "--detector-weights", "mtcnn", "--frames", "none.png"], in: folder)
      #expect(missing.status == 1 && missing.errors.contains("none.png"), "\(missing.errors)")
    }
  }
}
