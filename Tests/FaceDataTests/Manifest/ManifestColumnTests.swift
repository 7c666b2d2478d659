import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct ManifestColumnTests {
  @Test func documentListsEveryColumn() throws {
    let file = Paths.package.appendingPathComponent("Docs/Formats.md")
    let document = try String(contentsOf: file, encoding: .utf8)
    let section = try #require(document.split(separator: "## Datasets of face crops").last)
    let rows = section.split(separator: "\n").drop { !$0.hasPrefix("|---") }.dropFirst()
      .prefix { $0.hasPrefix("|") }
    let expected = ManifestColumn.all.map {
      "| `\($0.name)` | \($0.isRequired ? "needed: " : "")\($0.help) |"
    }
    #expect(rows.map(String.init) == expected)
  }

  @Test func everyPropertyHasAColumn() {
    // What a sample has beside its columns: where the picture is, and whether a fake is to be made.
    let properties = Mirror(reflecting: FaceSample(path: "a.jpg", label: .real)).children
      .compactMap(\.label)
    #expect(
      Set(properties) == Set(ManifestColumn.all.map(\.name)).union(["file", "isMade"]))
  }

  @Test func headerAndMessagesFollowTheTable() throws {
    let names = ManifestColumn.all.map(\.name)
    let extracted = ManifestColumn.all.filter { !$0.isOfTeacher }.map(\.name)
    #expect(ManifestWriter.header == extracted.joined(separator: ",") + "\n")
    #expect(names.count == extracted.count + 2)
    for column in ManifestColumn.all {
      let header = names.filter { $0 != column.name }.joined(separator: ",")
      let fields = names.filter { $0 != column.name }.map {
        $0 == "path" ? "a.jpg" : $0 == "label" ? "REAL" : ""
      }
      try withCSV(header + "\n" + fields.joined(separator: ",") + "\n") { (file: URL) throws in
        guard column.isRequired else {
          let manifest = try FaceManifest.read(file)
          #expect(manifest.ignoredColumns.isEmpty)
          return
        }
        let error = failure { () throws(DatasetError) in try FaceManifest.read(file).count }
        #expect(error?.description.contains("has no column \(column.name);") == true)
      }
    }
  }
}
