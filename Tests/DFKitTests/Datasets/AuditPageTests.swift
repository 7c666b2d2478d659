import DFKit
import Foundation
import TestSupport
import Testing

@Suite struct AuditPageTests {
  /// An audit of four crops on two sides, one pair of them the same.
  private func withResult(_ body: (AuditJob.Result) throws -> Void) throws {
    try Paths.withTemporaryFolder { folder in
      var lines = ["path,label,split"]
      for (index, name) in ["a<b>.png", "b.png", "c.png", "d.png"].enumerated() {
        let seed = UInt64(index == 3 ? 0 : index)
        var generator = SeededGenerator(seed: seed)
        let image = Image(width: 40, height: 40) { pixels in
          for place in pixels.indices {
            pixels[place] = UInt8(truncatingIfNeeded: generator.next())
          }
        }
        try ImageFile.write(image, to: folder.appendingPathComponent(name))
        lines.append("\(name),\(index % 2 == 0 ? "REAL" : "FAKE"),\(index < 2 ? "train" : "test")")
      }
      let csv = folder.appendingPathComponent("faces.csv")
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: csv)
      try body(try AuditJob(DatasetInput([csv])).run())
    }
  }

  @Test func saysWhatWasFound() throws {
    try withResult { result in
      let report = result.report
      #expect(report.sides.map(\.name) == ["train", "test"])
      let same = try #require(report.leaks.first { $0.kind == .identicalFile })
      #expect(same.share == 0.5 && same.examples == [SampleLink(0, 3, .identicalFile)])
      #expect(report.conflicts.map(\.kind).contains(.identicalFile))
      let text = result.text(allowed: 0.01)
      #expect(text.contains("LEAK: 50.0 % of test by identical pictures"))
      #expect(text.contains("a<b>.png and d.png"))
      #expect(result.verdict(allowed: 0.5) == "no leak above 50.0 % of a side")
      let json = result.json(allowed: 0.01).text
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
      #expect((object["leaks"] as? [[String: Any]])?.count == 7)
      #expect((object["leaks_found"] as? Int ?? 0) > 0)
    }
  }

  @Test func thePageHoldsEverythingAndNoFacesUnlessAsked() throws {
    try withResult { result in
      var page = AuditPage(result, allowed: 0.01)
      let html = try page.html
      #expect(html.contains("a&lt;b&gt;.png") && !html.contains("a<b>.png"))
      #expect(!html.contains("<img") && !html.contains("http"))
      #expect(html.contains("LEAK: 50.0 % of test") && html.contains("50.0 %"))
      #expect(!html.contains("{{") && html.hasSuffix("</html>\n"))
      page.showsFaces = true
      let shown = try page.html
      #expect(shown.contains("<img src=\"data:image/jpeg;base64,"))
      page.allowed = 0.9
      #expect(try page.html.contains("no leak above 90.0 % of a side"))
    }
  }

  @Test func oneSideHasNothingToLeakTo() throws {
    try withResult { result in
      var all = result
      all.report.sides.removeLast()
      all.report.leaks = []
      #expect(all.text(allowed: 0.01).contains("nothing to compare"))
    }
  }
}
