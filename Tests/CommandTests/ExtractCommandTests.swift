import DFKit
import Foundation
import TestSupport
import Testing

/// `extract`, with random weights that take anything for a face.
@Suite struct ExtractCommandTests {
  private static let arguments = [
    "extract", "videos", "--detector-weights", "r.safetensors", "--threshold", "0.9", "--people",
    "surest", "--min-share", "0", "--frame-scale", "1", "--frames", "4",
    "--size", "32",
  ]

  /// A folder with a detector and videos, half of them real.
  private func withMaterial(count: Int = 4, _ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      try Material.detector(folder.appendingPathComponent("r.safetensors"))
      var lines = ["filename,label,original"]
      let videos = folder.appendingPathComponent("videos")
      try FileManager.default.createDirectory(at: videos, withIntermediateDirectories: true)
      for index in 0..<count {
        try FileManager.default.copyItem(
          at: Paths.fixture("media/plain.mp4"), to: videos.appendingPathComponent("\(index).mp4"))
        lines.append("\(index).mp4,\(index % 2),\(index % 2 == 0 ? "" : "\(index - 1).mp4")")
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: videos.appendingPathComponent("labels.csv"))
      try body(folder)
    }
  }

  private func contents(_ root: URL) throws -> [String: Data] {
    var result: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
      let url = root.appendingPathComponent(name)
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      if !isFolder.boolValue { result[name] = try Data(contentsOf: url) }
    }
    return result
  }

  @Test func aDatasetForTheOtherCommands() throws {
    try withMaterial { folder in
      let result = try Tool.run(Self.arguments + ["--out", "faces"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("labels from labels.csv: 4 videos"))
      #expect(
        result.output.contains("up to 4 frames of each of 2 real videos, 4 of each of 2 fake"))
      let faces = folder.appendingPathComponent("faces")
      let manifest = try FaceManifest.read(faces)
      try manifest.checkFiles()
      // The same video four times, found real and fake by turns.
      #expect(manifest.count(.real) > 0 && manifest.count(.real) == manifest.count(.fake))
      #expect(manifest.samples.last?.original == "2")
      let before = try contents(faces)
      let again = try Tool.run(Self.arguments + ["--out", "faces", "--json"], in: folder)
      #expect(again.status == 0, "\(again.errors)")
      let summary: [String: Any] = try again.json()
      #expect(summary["skipped"] as? Int == 4 && summary["extracted"] as? Int == 0)
      #expect((summary["real"] as? [String: Any])?["crops"] as? Int == manifest.count(.real))
      #expect(try contents(faces) == before)
      let other = try Tool.run(Self.arguments + ["--out", "faces", "--margin", "1"], in: folder)
      #expect(other.status == 1)
      #expect(other.errors.contains("crop.margin: was 0.15, is now 1"))
    }
  }

  @Test func killedAtAnyMomentItEndsTheSame() throws {
    try withMaterial(count: 10) { folder in
      let whole = try Tool.run(Self.arguments + ["--out", "whole"], in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let killed = folder.appendingPathComponent("killed")
      let journal = killed.appendingPathComponent(".journal").path
      func written() -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: journal)
        return attributes?[.size] as? Int ?? 0
      }
      for kill in 0..<4 {
        let before = written()
        let run = try Running(Self.arguments + ["--out", "killed", "--threads", "2"], in: folder)
        while run.isRunning, written() <= before { usleep(500) }
        // At another moment of the next video each time.
        usleep(UInt32(kill) * 3000)
        run.kill()
      }
      let rest = try Tool.run(Self.arguments + ["--out", "killed"], in: folder)
      #expect(rest.status == 0, "\(rest.errors)")
      #expect(try contents(killed) == contents(folder.appendingPathComponent("whole")))
    }
  }

  @Test func interruptingWritesTheManifest() throws {
    try withMaterial(count: 60) { folder in
      let faces = folder.appendingPathComponent("faces")
      let run = try Running(Self.arguments + ["--out", "faces", "--json"], in: folder)
      let journal = faces.appendingPathComponent(".journal").path
      while run.isRunning, !FileManager.default.fileExists(atPath: journal) { usleep(500) }
      run.interrupt()
      let result = try run.finish()
      #expect(result.status == 130, "\(result.errors)")
      let summary: [String: Any] = try result.json()
      #expect(summary["interrupted"] as? Bool == true)
      #expect(try #require(summary["waiting"] as? Int) > 0)
      if (summary["extracted"] as? Int ?? 0) > 0 { try FaceManifest.read(faces).checkFiles() }
      #expect(!FileManager.default.fileExists(atPath: journal))
    }
  }

  @Test func whatFailsIsListedAtTheEnd() throws {
    try withMaterial { folder in
      try Data("broken".utf8).write(to: folder.appendingPathComponent("videos/1.mp4"))
      try Data("broken".utf8).write(to: folder.appendingPathComponent("videos/unknown.mp4"))
      let result = try Tool.run(Self.arguments + ["--out", "faces"], in: folder)
      #expect(result.status == 1)
      #expect(result.errors.contains("videos/1.mp4"))
      #expect(result.errors.contains("videos/unknown.mp4: has no label"))
      #expect(result.output.contains("3 videos extracted, 2 failed"))
      #expect(result.output.hasSuffix("\n  videos/1.mp4\n  videos/unknown.mp4\n"))
      let none = try Tool.run(
        Self.arguments + ["--labels", "nowhere.csv", "--out", "x"], in: folder)
      #expect(none.status == 1 && none.errors.contains("nowhere.csv"))
      // Files may grow to 1 KB.
      let full = try Tool.run(
        [
          "-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "bash", Tool.url.path,
        ] + Self.arguments + ["--out", "full"],
        in: folder, program: URL(fileURLWithPath: "/bin/bash"))
      #expect(full.status == 1)
      #expect(full.errors.contains("File too large"))
      let rest = try Tool.run(Self.arguments + ["--out", "full"], in: folder)
      #expect(rest.status == 1)
      #expect(
        try contents(folder.appendingPathComponent("full"))
          == contents(folder.appendingPathComponent("faces")))
    }
  }
}
