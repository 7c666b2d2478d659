import DFKit
import Foundation
import TestSupport
import Testing

/// `landmarks`, and `train --fakes`
@Suite struct FakesCommandTests {
  private static let recipe = """
    name: tiny
    members:
      - name: only
        architecture: efficientnet-b0
        size: 32
        norm: group
    training:
      epochs: 1
      batchSize: 4
      sampling: balanced
    """

  /// Writes the recipe and real crops, with landmarks or without.
  private func withMaterial(marked: Bool, _ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Data(Self.recipe.utf8).write(to: folder.appendingPathComponent("tiny.yaml"))
      var lines = ["path,label,note,split,landmarks"]
      for index in 0..<8 {
        try Material.picture(
          folder.appendingPathComponent("\(index).png"), width: 40, height: 40,
          seed: UInt64(index))
        lines.append(
          "\(index).png,REAL,n\(index),\(index % 4 == 0 ? "validation" : "train"),"
            + (marked ? "14 15 26 15 20 22 15 28 25 28" : ""))
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("real.csv"))
      try body(folder)
    }
  }

  @Test func realFacesAloneTrainANetwork() throws {
    try withMaterial(marked: true) { folder in
      let arguments = ["train", "--data", "real.csv", "--recipe", "tiny.yaml"]
      let result = try Tool.run(
        arguments + ["--fakes", "self-blended", "--output", "run"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.output.contains("all fakes in training are made (self-blended) from the 6 of 6"))
      #expect(result.output.contains("validation uses 2 made fakes"))
      #expect(result.output.contains("AUC"))
      let recipe = try Recipe(contentsOf: folder.appendingPathComponent("run/recipe.yaml"))
      #expect(recipe.members[0].training?.fakes == FakeOptions())
      // Without fakes there is nothing to be half of.
      let without = try Tool.run(arguments + ["--output", "other"], in: folder)
      #expect(without.status == 1 && without.errors.contains("no FAKE sample"))
      let sheet = try Tool.run(
        arguments + ["--fakes", "self-blended", "--show-augmentation", "sheet.png"], in: folder)
      #expect(sheet.status == 0, "\(sheet.errors)")
      let picture = try ImageFile.read(folder.appendingPathComponent("sheet.png"))
      let plain = try Tool.run(
        arguments + ["--fakes", "none", "--show-augmentation", "plain.png"], in: folder)
      #expect(plain.status == 0, "\(plain.errors)")
      // Rows for what fakes are made of.
      let other = try ImageFile.read(folder.appendingPathComponent("plain.png"))
      #expect(picture.height > other.height)
    }
  }

  @Test func withoutLandmarksItSaysHowToFindThem() throws {
    try withMaterial(marked: false) { folder in
      let result = try Tool.run(
        [
          "train", "--data", "real.csv", "--recipe", "tiny.yaml", "--fakes", "self-blended",
          "--output", "run",
        ], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("dfkit landmarks DATA --in-place"))
    }
  }

  @Test func landmarksKeepEverythingElse() throws {
    try withMaterial(marked: false) { folder in
      // A network of random weights sees faces or none; either way the rest is as it was.
      let mtcnn = folder.appendingPathComponent("mtcnn")
      try FileManager.default.createDirectory(at: mtcnn, withIntermediateDirectories: true)
      try Material.mtcnn(mtcnn)
      try Data("no picture".utf8).write(to: folder.appendingPathComponent("3.png"))
      let arguments = ["landmarks", "real.csv", "--detector-weights", "mtcnn"]
      let result = try Tool.run(
        arguments + ["--detector", "mtcnn", "--output", "marked.csv", "--json"], in: folder)
      #expect(result.status == 1, "\(result.errors)")
      let report: [String: Any] = try result.json()
      let failures = try #require(report["failures"] as? [[String: String]])
      #expect(failures.map { $0["file"] } == ["3.png"])
      let before = try FaceManifest.read(folder.appendingPathComponent("real.csv"))
      let after = try FaceManifest.read(folder.appendingPathComponent("marked.csv"))
      #expect(after.samples.map(\.split) == before.samples.map(\.split))
      #expect(after.ignoredColumns == ["note"])
      let found = after.samples.count { $0.landmarks != nil }
      #expect(found == report["found"] as? Int)
      #expect(after.samples[3].landmarks == nil)
    }
  }

  @Test(arguments: [
    ["landmarks", "real.csv"], ["landmarks", "a.csv", "b.csv", "--in-place"],
    ["landmarks", "real.csv", "--in-place", "--output", "x.csv"],
    ["landmarks", "real.csv", "--in-place", "--padding", "3"],
    ["train", "--data", "real.csv", "--fakes", "swapped", "--output", "run"],
  ])
  func wrongUsageIsRefused(_ arguments: [String]) throws {
    try Paths.withTemporaryFolder { folder in
      let result = try Tool.run(arguments, in: folder)
      #expect(result.status == 64, "\(result.output)\(result.errors)")
    }
  }
}
