import DFKit
import Foundation
import TestSupport
import Testing

/// `split` and `audit`
@Suite struct DatasetCommandTests {
  /// Twenty drawn videos of four frames each, whose manifest names the videos or not.
  private func withFaces(named: Bool, _ body: (URL) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label,note" + (named ? ",video" : "")]
      for video in 0..<20 {
        let label = video % 2 == 0 ? "REAL" : "FAKE"
        for frame in 0..<4 {
          let name = "\(label)\(video + 10)-\(frame).png"
          let scene = PlantedScene(
            person: UInt64(video), video: UInt64(video), place: UInt64(video))
          let image = scene.frame(UInt64(frame), side: 96)
          try ImageFile.write(image, to: folder.appendingPathComponent(name))
          lines.append("\(name),\(label),\"n, \(frame)\"" + (named ? ",v\(video)" : ""))
        }
      }
      try Data((lines.joined(separator: "\n") + "\n").utf8)
        .write(to: folder.appendingPathComponent("faces.csv"))
      try body(folder)
    }
  }

  private static let plain = ["--cache", "none", "--without-embedder"]

  @Test func splitThenAuditFindsNoLeak() throws {
    try withFaces(named: true) { folder in
      let split = try Tool.run(
        ["split", "faces.csv", "--output", "split.csv"] + Self.plain, in: folder)
      #expect(split.status == 0, "\(split.errors)")
      #expect(split.output.contains("groups by person, video and original, and by the pictures"))
      let manifest = try FaceManifest.read(folder.appendingPathComponent("split.csv"))
      #expect(manifest.count == 80 && manifest.ignoredColumns == ["note"])
      #expect(manifest.samples.allSatisfy { $0.split != nil && $0.group != nil })
      #expect(manifest.samples.count { $0.split == "validation" } == 16)
      let audit = try Tool.run(["audit", "split.csv", "--json"] + Self.plain, in: folder)
      #expect(audit.status == 0, "\(audit.errors)\(audit.output)")
      #expect(audit.output.contains("\"leaks_found\": 0"))
      // The same again, on one thread.
      let again = try Tool.run(
        ["split", "faces.csv", "--output", "again.csv", "--threads", "1"] + Self.plain, in: folder)
      #expect(again.status == 0)
      func data(_ name: String) throws -> Data {
        try Data(contentsOf: folder.appendingPathComponent(name))
      }
      #expect(try data("again.csv") == data("split.csv"))
    }
  }

  @Test func aRandomSplitEndsWithTheLeaksStatus() throws {
    try withFaces(named: true) { folder in
      let split = try Tool.run(
        ["split", "faces.csv", "--in-place", "--at-random"], in: folder)
      #expect(split.status == 0, "\(split.errors)")
      #expect(split.output.contains("Use it only to compare"))
      let audit = try Tool.run(
        ["audit", "faces.csv", "--html", "audit.html"] + Self.plain, in: folder)
      #expect(audit.status == 2, "\(audit.errors)")
      #expect(audit.output.contains("same video") && audit.output.contains("LEAK"))
      let page = try String(
        contentsOf: folder.appendingPathComponent("audit.html"), encoding: .utf8)
      #expect(page.contains("same video") && !page.contains("<img"))
      let lenient = try Tool.run(
        ["audit", "faces.csv", "--max-share", "1"] + Self.plain, in: folder)
      #expect(lenient.status == 0)
    }
  }

  @Test func foldsAreTrainedOnOneByOne() throws {
    try withFaces(named: true) { folder in
      let split = try Tool.run(
        ["split", "faces.csv", "--in-place", "--folds", "4", "--json", "--without-pictures"],
        in: folder)
      #expect(split.status == 0, "\(split.errors)")
      #expect(split.output.contains("\"groups\": 20"))
      let manifest = try FaceManifest.read(folder.appendingPathComponent("faces.csv"))
      #expect(Set(manifest.samples.map(\.fold)) == [1, 2, 3, 4])
      // A split of the whole leaves no fold behind.
      let whole = try Tool.run(
        ["split", "faces.csv", "--output", "whole.csv", "--without-pictures"], in: folder)
      #expect(whole.status == 0, "\(whole.errors)")
      let other = try FaceManifest.read(folder.appendingPathComponent("whole.csv"))
      #expect(other.samples.allSatisfy { $0.fold == nil })
    }
  }

  @Test func twoDatasetsAreHeldAgainstEachOther() throws {
    try withFaces(named: false) { folder in
      let text = try String(
        contentsOf: folder.appendingPathComponent("faces.csv"), encoding: .utf8)
      let lines = text.split(separator: "\n")
      for (name, rows) in [("one.csv", lines[1..<41]), ("two.csv", lines[41..<81])] {
        let part = ([lines[0]] + Array(rows)).joined(separator: "\n") + "\n"
        try Data(part.utf8)
          .write(to: folder.appendingPathComponent(name))
      }
      let audit = try Tool.run(["audit", "one.csv", "two.csv", "--json"] + Self.plain, in: folder)
      #expect(audit.errors.isEmpty)
      #expect(audit.output.contains("\"name\": \"one.csv\""))
      let twice = try Tool.run(["audit", "one.csv", "one.csv"] + Self.plain, in: folder)
      #expect(twice.status == 1 && twice.errors.contains("is in the data twice"))
      let missing = folder.appendingPathComponent("REAL10-0.png")
      try FileManager.default.removeItem(at: missing)
      let gone = try Tool.run(["audit", "faces.csv"] + Self.plain, in: folder)
      #expect(gone.status == 1 && gone.errors.contains("1 picture is missing"))
      try Data("no picture".utf8).write(to: missing)
      let broken = try Tool.run(["audit", "faces.csv"] + Self.plain, in: folder)
      #expect(broken.output.contains("1 pictures could not be read"))
      #expect(broken.output.contains("REAL10-0.png"))
    }
  }
}
