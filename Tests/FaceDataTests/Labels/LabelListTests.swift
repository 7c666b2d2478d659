import FaceData
import Foundation
import TestSupport
import Testing

/// Lists of labels as people and programs really write them.
@Suite struct LabelListTests {
  private func answers(
    _ metadata: String, _ names: [String] = ["r.mp4", "f.mp4"]
  ) throws -> LabelledFiles {
    try Paths.withTemporaryFolder { folder in
      try Data(metadata.utf8).write(to: folder.appendingPathComponent("metadata.json"))
      var labels = try DatasetLabels()
      return labels.answers(for: names.map { folder.appendingPathComponent($0) })
    }
  }

  @Test func numbersThatPythonWritesAreRead() throws {
    let found = try answers(
      """
      {"r.mp4": {"label": "REAL", "original": NaN, "x": [-Infinity, Infinity, 1e3, true]},
       "f.mp4": {"label": "FAKE", "original": "r.mp4", "split": NaN, "r\\u00e9": {"a": []}}}
      """)
    #expect(found.failures.isEmpty)
    #expect(found.videos.map(\.label.label) == [.real, .fake])
    #expect(found.videos[1].label.original == found.videos[0].label.video)
    #expect(found.videos[1].label.split == nil)
    let numbers = try answers(
      "{\"r.mp4\": {\"label\": 0}, \"f.mp4\": {\"label\": null, \"is_fake\": 1}}")
    #expect(numbers.videos.map(\.label.label) == [.real, .fake])
  }

  @Test func aWrongLabelIsNamedWithItsLine() throws {
    let found = try answers(
      "{\n\"r.mp4\": {\"label\": NaN},\n\"f.mp4\":\n{\"label\": \"FAKE\", \"original\": 3}}")
    let texts = found.failures.map(\.text)
    #expect(texts.count == 2)
    #expect(texts[0].contains("metadata.json: line 2: r.mp4 has the label 'NaN'"))
    #expect(texts[1].contains("metadata.json: line 4: f.mp4 has 3 as original"))
    let other = try answers("{\"r.mp4\": \"REAL\", \"f.mp4\": {}}").failures.map(\.text)
    #expect(other[0].contains("line 1: r.mp4 has REAL instead of an object"))
    #expect(other[1].contains("line 1: f.mp4 has no label"))
  }

  @Test(arguments: [
    ("{\n\"r.mp4\": {\"label\": nan}}", "line 2: is not valid JSON: 'nan}}'"),
    ("{\"r.mp4\": {\"label\": \"REAL\"}\n\n", "line 3: is not valid JSON: the file ends too early"),
    ("[1, 2]", "line 1: a list is not an object"), ("", "line 1: is not valid JSON: the file ends"),
    ("{} x", "text follows the end"), ("{\"a\n\": 1}", "a string has no closing quote"),
    (String(repeating: "[", count: 100_000), "nested too deeply"),
  ])
  func aBrokenListIsSaidOnce(_ text: String, _ message: String) throws {
    let found = try answers(text)
    #expect(found.videos.isEmpty && found.failures.count == 1)
    #expect(found.failures[0].count == 2)
    let error = found.failures[0].text
    #expect(error.contains("metadata.json: ") && error.contains(message), "\(error)")
    #expect(error.contains("(2 videos have no label for that reason)"))
  }

  @Test func metadataCutOffAnywhereIsRefused() throws {
    let whole = "{\"r.mp4\": {\"label\": \"RE\\u0041L\", \"n\": [-1.5e3, NaN]}}"
    for count in 0..<whole.utf8.count {
      let found = try answers(String(decoding: whole.utf8.prefix(count), as: UTF8.self))
      #expect(found.failures.count == 1 && found.failures[0].count == 2, "\(count)")
    }
    #expect(try answers(whole, ["r.mp4"]).videos.map(\.label.label) == [.real])
  }

  @Test func rowsThatNameNoFileAreFound() throws {
    try Paths.withTemporaryFolder { folder in
      let list = folder.appendingPathComponent("labels.csv")
      try Data(
        "filename;label\na.mp4;FAKE\nmissing.mp4;FAKE\nalso/gone.mp4;REAL\nb.mp4;REAL\n".utf8
      )
      .write(to: list)
      for name in ["a.mp4", "b.mp4"] {
        try Data().write(to: folder.appendingPathComponent(name))
      }
      // b.mp4 is there and was not asked about: that is no mistake.
      for choice in [DatasetLabels.Choice.table(list), .automatic] {
        var labels = try DatasetLabels(choice)
        let found = labels.answers(for: [folder.appendingPathComponent("a.mp4")])
        #expect(found.videos.map(\.label.label) == [.fake])
        let rows = labels.entriesWithoutFile()
        #expect(
          rows.map(\.file) == ["missing.mp4", "also/gone.mp4"] && rows.map(\.line) == [3, 4])
        #expect(
          rows.textOfMissing?.hasSuffix(
            "labels.csv: 2 rows name files that do not exist: missing.mp4 (line 3), also/gone.mp4"
              + " (line 4)") == true, "\(rows.textOfMissing ?? "")")
      }
      try Data("{\"a.mp4\": {\"label\": \"REAL\"},\n\"z.mp4\": {\"label\": \"FAKE\"}}".utf8)
        .write(to: folder.appendingPathComponent("metadata.json"))
      var labels = try DatasetLabels(.dfdc)
      _ = labels.answers(for: [folder.appendingPathComponent("a.mp4")])
      #expect(labels.entriesWithoutFile().map(\.file) == ["z.mp4"])
      #expect(labels.entriesWithoutFile().textOfMissing?.contains("1 row names a file") == true)
    }
  }
}
