import DFKit
import Foundation
import TestSupport
import Testing

/// `familiarity`, with a network of random weights on made pictures.
@Suite struct FamiliarityCommandTests {
  /// A folder with weights, and faces of both labels in two sources and both parts.
  private func withMaterial(_ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.classifier(folder.appendingPathComponent("b0.safetensors"))
      let faces = folder.appendingPathComponent("faces")
      try FileManager.default.createDirectory(at: faces, withIntermediateDirectories: true)
      var lines = ["path,label,origin,split"]
      for index in 0..<96 {
        let name = "\(index).png"
        try Material.picture(
          faces.appendingPathComponent(name), width: 48, height: 48, seed: UInt64(index))
        lines.append(
          "\(name),\(index % 2 == 0 ? "REAL" : "FAKE"),\(index % 4 < 2 ? "a" : "b"),"
            + (index < 48 ? "train" : "validation"))
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: faces.appendingPathComponent("manifest.csv"))
      try body(folder)
    }
  }

  private static let arguments = [
    "familiarity", "--weights", "b0.safetensors", "--data", "faces", "--dimensions", "8",
  ]

  @Test func whatIsFamiliarIsWrittenConvertedAndShown() throws {
    try withMaterial { folder in
      let result = try Tool.run(
        Self.arguments + ["--output", "f.safetensors", "--json"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      let report: [String: Any] = try result.json()
      #expect(report["dimensions"] as? Int == 8 && report["features"] as? Int == 1280)
      let sources = try #require(report["sources"] as? [[String: Any]])
      #expect(sources.map { $0["name"] as? String } == ["a", "b"])
      #expect(sources.map { $0["real"] as? Int } == [12, 12])
      let limits = try #require(report["limits"] as? [String: Double])
      #expect(limits["size"] == 48 && (limits["features"] ?? 0) > 0)
      let copies = try #require(report["copies"] as? [[String: Any]])
      #expect(
        copies.map { $0["damage"] as? String } == ["grey", "gif", "blurred", "shrunk", "jpeg"])
      for copy in copies {
        let refused = try #require(copy["refused"] as? [String: Any])
        #expect(refused["faces"] as? Int == 48)
        if copy["damage"] as? String == "shrunk" { #expect(refused["unfamiliar"] as? Int == 48) }
      }
      // Half as large, and still of use.
      let converted = try Tool.run(
        ["weights", "convert", "f.safetensors", "h.safetensors", "--dtype", "f16"], in: folder)
      #expect(converted.status == 0, "\(converted.errors)")
      let model = try ClassifierModel(
        try StateDict.read(folder.appendingPathComponent("h.safetensors")))
      #expect(model.familiarity?.dimensions == 8 && model.familiarity?.limits[.size] == 48)
      let info = try Tool.run(["weights", "info", "f.safetensors"], in: folder)
      #expect(info.output.contains("familiarity.limit.features"))
      let table = try Tool.run(Self.arguments, in: folder)
      for text in ["held out", "a quarter as large", "AUC"] {
        #expect(table.output.contains(text), "\(text)")
      }
    }
  }

  @Test func wrongUsageIsToldOf() throws {
    try withMaterial { folder in
      for wrong in [
        ["--data", "x", "--dimensions", "0"], ["--data", "x", "--refused", "0.5"],
        ["--data", "x", "--output", "f.pth"], ["--data", "x", "--per-source", "1"], [],
      ] {
        #expect(try Tool.run(["familiarity"] + wrong, in: folder).status == 64, "\(wrong)")
      }
      let missing = try Tool.run(["familiarity", "--data", "nowhere.csv"], in: folder)
      #expect(missing.status == 1 && missing.errors.contains("nowhere.csv"))
    }
  }
}
