import DFKit
import Foundation
import TestSupport
import Testing

/// `train`
@Suite struct TrainCommandTests {
  private static let recipe = """
    name: tiny
    members:
      - name: only
        architecture: efficientnet-b0
        size: 32
        norm: group
        dropout: 0.2
    training:
      epochs: 2
      batchSize: 3
      optimizer: {learningRate: 0.0005}
    """

  private static let arguments = [
    "train", "--data", "faces", "--recipe", "tiny.yaml", "--output", "run", "--threads", "2",
  ]

  /// Writes the recipe and a dataset of made-up crops.
  private func withMaterial(count: Int = 8, _ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Data(Self.recipe.utf8).write(to: folder.appendingPathComponent("tiny.yaml"))
      let faces = folder.appendingPathComponent("faces")
      try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
      var lines = ["path,label,video,person,split"]
      for index in 0..<count {
        for label in ["REAL", "FAKE"] {
          let name = "\(label)\(index).png"
          try Material.picture(
            faces.appendingPathComponent(name), width: 36, height: 36,
            seed: UInt64(index) * 2 + (label == "REAL" ? 0 : 1))
          lines.append(
            "\(name),\(label),v\(label)\(index / 2),p\(index / 2),"
              + (index % 4 == 0 ? "validation" : "train"))
        }
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: faces.appendingPathComponent("manifest.csv"))
      try body(folder)
    }
  }

  private func weights(_ folder: URL, _ run: String, _ name: String = "last") throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent("\(run)/\(name).safetensors"))
  }

  @Test func aRunThatWasKilledEndsAsOneThatWasNot() throws {
    try withMaterial { folder in
      let whole = try Tool.run(Self.arguments + ["--output", "whole"], in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      #expect(whole.output.contains("held out by the manifest's column split"))
      #expect(whole.output.contains("epoch 2"))
      let killed = try Running(
        Self.arguments + ["--checkpoint-steps", "1", "--json"], in: folder)
      while killed.isRunning, !killed.output.contains("\"step\": 2") { usleep(2000) }
      killed.kill()
      let rest = try Tool.run(["train", "--resume", "--output", "run"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      #expect(rest.output.contains("continues after step"))
      for name in ["best", "last"] {
        #expect(try weights(folder, "run", name) == weights(folder, "whole", name))
      }
      // What came out is a network for the other commands.
      let scores = try Tool.run(
        ["classify", "faces/REAL0.png", "--weights", "run/best.safetensors", "--json"], in: folder)
      let entries: [[String: Any]] = try scores.json()
      #expect(entries[0]["probability"] is Double)
      let show = try Tool.run(["recipe", "show", "run/recipe.yaml"], in: folder)
      #expect(show.output.contains("# members: only\nname: run\n"))
      let info = try Tool.run(["weights", "info", "run/best.safetensors"], in: folder)
      #expect(info.output.contains("tiny/only"))

      // The same folder again, and the same run with something else.
      let again = try Tool.run(Self.arguments, in: folder)
      #expect(again.status == 1 && again.errors.contains("already holds a run"))
      let other = try Tool.run(Self.arguments + ["--resume", "--batch-size", "4"], in: folder)
      #expect(other.status == 1 && other.errors.contains("training.batchSize: was 3, is now 4"))
      // From its weights, elsewhere, with a layer frozen and the other norm.
      let tuned = try Tool.run(
        Self.arguments + [
          "--output", "tuned", "--init", "run/best.safetensors", "--norm", "batch", "--epochs",
          "1", "--freeze", "conv_stem",
        ], in: folder)
      #expect(tuned.status == 0, "\(tuned.errors)")
      #expect(tuned.output.contains("213 tensors loaded (keys of timm)"))
      #expect(tuned.output.contains("new: 49 of running_mean, 49 of running_var"))
      let log = try String(
        contentsOf: folder.appendingPathComponent("tuned/log.txt"), encoding: .utf8)
      #expect(log.contains("\n  blocks.6.0.bn3.running_var\n"))
      let stem = try StateDict.read(folder.appendingPathComponent("tuned/last.safetensors"))
      let before = try StateDict.read(folder.appendingPathComponent("run/best.safetensors"))
      #expect(
        try stem["conv_stem.weight"]?.tensor().scalars
          == before["conv_stem.weight"]?.tensor().scalars)
    }
  }

  @Test func aRunOfBeforeIsResumed() throws {
    try withMaterial { folder in
      let begun = try Tool.run(Self.arguments + ["--epochs", "1"], in: folder)
      #expect(begun.status == 0, "\(begun.errors)")
      // Recipes of runs were once named after the recipe that they began with.
      let file = folder.appendingPathComponent("run/recipe.yaml")
      let text = try String(contentsOf: file, encoding: .utf8)
      try Data(text.replacing("name: run\n", with: "name: tiny\n").utf8).write(to: file)
      let rest = try Tool.run(
        ["train", "--resume", "--output", "run", "--epochs", "2"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      let info = try Tool.run(["weights", "info", "run/last.safetensors"], in: folder)
      #expect(info.output.contains("tiny/only"))
      let other = try Tool.run(
        ["train", "--resume", "--output", "run", "--recipe", "run/recipe.yaml", "--rate", "1"],
        in: folder)
      #expect(other.errors.contains("training.optimizer.learningRate: was 0.0005, is now 1.0"))
      #expect(!other.errors.contains("recipe: was"))
    }
  }

  @Test func interruptingKeepsWhatIsDone() throws {
    try withMaterial { folder in
      let run = try Running(Self.arguments + ["--json", "--epochs", "1000"], in: folder)
      while run.isRunning, !run.output.contains("\"step\": 1") { usleep(2000) }
      run.interrupt()
      let result = try run.finish()
      #expect(result.status == 130)
      #expect(
        FileManager.default.fileExists(
          atPath: folder.appendingPathComponent("run/checkpoint.safetensors").path))
      // The data that it was begun with is not there any more.
      try FileManager.default.removeItem(at: folder.appendingPathComponent("faces/REAL1.png"))
      let rest = try Tool.run(["train", "--resume", "--output", "run"], in: folder)
      #expect(rest.status == 1)
      #expect(rest.errors.contains("1 picture is missing") && rest.errors.contains("REAL1.png"))
    }
  }

  @Test func aFullDiskLeavesTheCheckpoint() throws {
    try withMaterial { folder in
      let begun = try Tool.run(Self.arguments + ["--epochs", "1"], in: folder)
      #expect(begun.status == 0, "\(begun.errors)")
      let before = try weights(folder, "run", "checkpoint")
      // Files may grow to 20 MB: the weights fit, the checkpoint with Adam's memory does not.
      let limited = try Tool.run(
        [
          "-c", "trap '' XFSZ; ulimit -f 20000; exec \"$@\"", "bash", Tool.url.path, "train",
          "--resume", "--output", "run", "--epochs", "2",
        ], in: folder, program: URL(fileURLWithPath: "/bin/bash"))
      #expect(limited.status == 1)
      #expect(
        limited.errors.contains("checkpoint.safetensors: cannot write weights: File too large"))
      #expect(try weights(folder, "run", "checkpoint") == before)
      let rest = try Tool.run(
        ["train", "--resume", "--output", "run", "--epochs", "2"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
    }
  }

  @Test func whatCannotBeUsedIsNamed() throws {
    try withMaterial { folder in
      func failure(_ extra: [String], recipe: String? = nil) throws -> String {
        if let recipe {
          try Data((Self.recipe + recipe).utf8).write(
            to: folder.appendingPathComponent("tiny.yaml"))
        }
        let result = try Tool.run(Self.arguments + extra, in: folder)
        #expect(result.status == 1, "\(extra)")
        return result.errors
      }
      #expect(
        try failure([], recipe: "\n  epoch: 3\n").contains(
          "tiny.yaml: training.epoch: is not a known key; known here: epochs"))
      _ = try failure(["--output", "faces/manifest.csv/run"], recipe: "\n")
      #expect(
        try failure(["--output", "faces/manifest.csv/run"]).contains("is a file, not a folder"))
      #expect(try failure(["--only", "nothing/"]).contains("no samples with paths that begin"))
      #expect(try failure(["--member", "9"]).contains("has no member '9': 1 only"))
      #expect(try failure(["--init", "nowhere.pt"]).contains("nowhere.pt"))
      #expect(try failure(["--data", "nowhere"]).contains("there is no such file or folder"))
      let broken = folder.appendingPathComponent("faces/FAKE1.png")
      try Data(try Data(contentsOf: broken).prefix(50)).write(to: broken)
      #expect(try failure([]).contains("FAKE1.png"))
      let skipped = try Tool.run(
        Self.arguments + ["--output", "skip", "--skip-broken", "--epochs", "1"], in: folder)
      #expect(skipped.status == 0)
      #expect(skipped.errors.contains("left out: ") && skipped.errors.contains("FAKE1.png"))
    }
  }

  @Test func aSheetShowsTheAugmentation() throws {
    try withMaterial { folder in
      let result = try Tool.run(
        [
          "train", "--data", "faces", "--recipe", "tiny.yaml", "--augmentation", "strong",
          "--show-augmentation", "sheet.png",
        ], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let sheet = try ImageFile.read(folder.appendingPathComponent("sheet.png"))
      #expect(sheet.width > 100 && sheet.height > 100)
    }
  }
}
