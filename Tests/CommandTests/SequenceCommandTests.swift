import DFKit
import Foundation
import TestSupport
import Testing

/// A network over a person's frames, from training to use.
@Suite struct SequenceCommandTests {
  private static let frames = """
    name: frames
    members:
      - {name: only, architecture: efficientnet-b0, size: 32, stages: 2}
    training: {epochs: 1, batchSize: 4}
    """
  private static let sequence = """
    name: sequence
    members:
      - {name: lstm, kind: sequence, architecture: efficientnet-b0, size: 32, stages: 2, hidden: 4,
         clipFrames: 3}
    training: {epochs: 2, batchSize: 4}
    """

  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      for (name, text) in [("frames.yaml", Self.frames), ("sequence.yaml", Self.sequence)] {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
      }
      let faces = folder.appendingPathComponent("faces")
      try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
      var lines = ["path,label,video,time,split"]
      for (number, label) in ["REAL", "FAKE"].enumerated() {
        for index in 0..<16 {
          let name = "\(label)\(index).png"
          try Material.picture(
            faces.appendingPathComponent(name), width: 36, height: 36,
            seed: UInt64(2 * index + number))
          let part = index / 4 == 3 ? "validation" : "train"
          lines.append("\(name),\(label),\(label)\(index / 4),\(index % 4),\(part)")
        }
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: faces.appendingPathComponent("manifest.csv"))
      try body(folder)
    }
  }

  @Test func aSequenceIsTrainedAndJudges() throws {
    try withMaterial { folder in
      let home = ["XDG_CACHE_HOME": folder.appendingPathComponent("cache").path]
      func run(_ arguments: String...) throws -> Tool.Result {
        try Tool.run(arguments, in: folder, environment: home)
      }
      let first = try run(
        "train", "--data", "faces", "--recipe", "frames.yaml", "--output", "first")
      #expect(first.status == 0, "\(first.errors)")
      let alone = try run(
        "train", "--data", "faces", "--recipe", "sequence.yaml", "--output", "none")
      #expect(alone.status == 1 && alone.errors.contains("--init"), "\(alone.errors)")
      let trained = try run(
        "train", "--data", "faces", "--recipe", "sequence.yaml", "--init",
        "first/best.safetensors", "--output", "lstm", "--json")
      #expect(trained.status == 0, "\(trained.errors)")
      #expect(trained.output.contains("\"preparing\""))
      let more = try run(
        "train", "--data", "faces", "--recipe", "sequence.yaml", "--init",
        "lstm/best.safetensors", "--end-to-end", "--epochs", "1", "--output", "all")
      #expect(more.status == 0, "\(more.errors)")
      let resumed = try run("train", "--resume", "--output", "lstm", "--epochs", "3")
      #expect(resumed.status == 0, "\(resumed.errors)")

      let info: [String: Any] = try run("weights", "info", "lstm/best.safetensors", "--json").json()
      #expect(info["kind"] as? String == "sequence")
      let converted = try run(
        "weights", "convert", "all/best.safetensors", "half.safetensors", "--dtype", "f16")
      #expect(converted.status == 0, "\(converted.errors)")
      for weights in ["lstm/best.safetensors", "half.safetensors"] {
        let judged = try run(
          "evaluate", "--data", "faces", "--recipe", "sequence.yaml", "--weights", weights,
          "--json")
        #expect(judged.status == 0, "\(judged.errors)")
      }
      let exported = try run("export", "--weights", "half.safetensors", "--output", "lstm.onnx")
      #expect(exported.status == 0, "\(exported.errors)")
    }
  }

  @Test func itIsRefusedWhereCropsAreJudgedAlone() throws {
    try withMaterial { folder in
      let settings = ClassifierSettings(.efficientNetLite0)
      let network = TrainableNetwork(settings, sequence: .init())
      network.parameters.forEach { $0.initialize(seed: 1) }
      let file = folder.appendingPathComponent("lstm.safetensors")
      let metadata = network.metadata.entries
      try StateDict(
        tensors: network.parameters.map { .init($0.key, $0.value, layout: $0.layout) },
        metadata: metadata
      ).write(safetensors: file)
      for arguments in [
        ["classify", "faces/REAL0.png", "--weights", "lstm.safetensors"],
        ["familiarity", "--data", "faces", "--weights", "lstm.safetensors"],
        ["calibrate", "--data", "faces", "--weights", "lstm.safetensors"],
      ] {
        let result = try Tool.run(arguments, in: folder)
        #expect(result.status == 1, "\(arguments)")
        #expect(result.errors.contains("sequence network"), "\(result.errors)")
      }
      let wrong = try Data(contentsOf: folder.appendingPathComponent("sequence.yaml"))
      let text = String(decoding: wrong, as: UTF8.self).replacing("hidden: 4", with: "hidden: 0")
      try Data(text.utf8).write(to: folder.appendingPathComponent("wrong.yaml"))
      let shown = try Tool.run(["recipe", "show", "wrong.yaml"], in: folder)
      #expect(shown.status != 0 && shown.errors.contains("1 to 4096"), "\(shown.errors)")
    }
  }
}
