import FaceData
import Foundation
import Measures
import TestSupport
import Testing

@Suite struct PseudoLabelColumnTests {
  private func read(_ text: String, needsLabels: Bool = true) throws -> FaceManifest {
    try withCSV(text) { file in try FaceManifest.read(file, needsLabels: needsLabels) }
  }

  @Test func aProbabilityIsTheTarget() throws {
    let manifest = try read(
      """
      path,label,probability,teacher
      a.jpg,FAKE,0.93,"t, SHA-256 01"
      b.jpg,FAKE,,
      c.jpg,REAL,0,
      d.jpg,REAL,,
      e.jpg,FAKE,1,
      """)
    #expect(manifest.samples.map(\.target) == [0.93, 1, 0, 0, 1])
    #expect(manifest.samples.map(\.probability) == [0.93, nil, 0, nil, 1])
    #expect(manifest.pseudoLabelledCount == 3)
    #expect(manifest.teachers == ["t, SHA-256 01"])
    #expect(manifest.withKnownLabels.samples.map(\.path) == ["b.jpg", "d.jpg"])
    #expect(manifest.ignoredColumns.isEmpty)
  }

  @Test(arguments: ["nan", "inf", "-0.01", "1.0001", "-inf", "fake", "0.5 0.5"])
  func whatIsNoProbabilityIsRefused(_ text: String) throws {
    try withCSV("path,label,probability\na.jpg,REAL,0.1\nb.jpg,REAL,\(text)\n") { file in
      let error = failure { () throws(DatasetError) in try FaceManifest.read(file) }
      let message = error?.description ?? ""
      #expect(message.contains("faces.csv: line 3, column probability"), "\(message)")
      #expect(message.contains("is '\(text)', which is not a number from 0 to 1"), "\(message)")
    }
  }

  @Test func labelsNeedNotBeThereIfNotWanted() throws {
    #expect(try read("path,video\na.jpg,v\n", needsLabels: false).count == 1)
    let odd = try read("path,label\na.jpg,\nb.jpg,unknown\nc.jpg,FAKE\n", needsLabels: false)
    #expect(odd.count == 3 && odd.count(.fake) == 0)
    let error = #expect(throws: DatasetError.self) { try read("path,video\na.jpg,v\n") }
    #expect(error?.description.contains("has no column label") == true)
    let noPath = #expect(throws: DatasetError.self) {
      try read("label\nREAL\n", needsLabels: false)
    }
    #expect(noPath?.description.contains("has no column path") == true)
  }

  @Test func aPseudoLabelledRowWithoutAPartIsForTraining() throws {
    let manifest = try read(
      """
      path,label,split,probability
      a.jpg,FAKE,validation,
      b.jpg,FAKE,,0.95
      c.jpg,REAL,test,0.05
      """)
    #expect(try manifest.parts() == [.validation, .training, .test])
    #expect(try manifest.knownParts() == [.validation, nil, .test])
    let lacking = try read("path,label,split\na.jpg,FAKE,validation\nb.jpg,FAKE,\n")
    let error = #expect(throws: DatasetError.self) { try lacking.parts() }
    #expect(error?.description.contains("b.jpg has '' in the column split") == true)
  }

  @Test func theColumnsAreAddedToAManifest() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("in.csv")
      try Data("path,hue,split,video\na.jpg,3,train,v\nb.jpg,4,train,w\n".utf8).write(to: file)
      let output = folder.appendingPathComponent("out.csv")
      let columns = ManifestColumns([\.label, \.probability, \.teacher])
      try columns.write([file], to: output, dropping: [\.split]) { row, sample in
        sample.label = .fake
        sample.probability = 0.9
        sample.teacher = "a, b"
        return row == 1
      }
      #expect(
        try String(contentsOf: output, encoding: .utf8)
          == "path,hue,video,label,probability,teacher\nb.jpg,4,w,FAKE,0.9,\"a, b\"\n")
    }
  }
}
