import FaceData
import Foundation
import TestSupport
import Testing

/// The column of later crops, which holds paths like the crops' own.
@Suite struct LaterColumnTests {
  private func write(_ text: String, _ file: URL) throws {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  @Test func pathsAreRelativeToTheManifest() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("manifest.csv")
      try write(
        "path,label,later\na/1.png,REAL,a/./1_later.png\n2.png,FAKE,\n/x/3.png,FAKE,b//3.png\n",
        file)
      let samples = try FaceManifest.read(folder.appendingPathComponent("manifest.csv")).samples
      let root = folder.standardizedFileURL.path
      #expect(
        samples.map { $0.later?.path } == ["\(root)/a/1_later.png", nil, "\(root)/b/3.png"])
      // Through memory and back to text. A relative path stays relative to the same folder.
      let again = FaceManifest(samples)
      #expect(again.samples.map(\.later) == samples.map(\.later))
      #expect(ManifestWriter.row(samples[0]).contains(",a/1_later.png,"))
      #expect(ManifestWriter.row(samples[2]).contains(",\(root)/b/3.png,"))
    }
  }

  @Test func aSampleMadeInCodeKeepsItsLaterCrop() {
    var sample = FaceSample(path: "faces/1.png", label: .real)
    sample.later = URL(fileURLWithPath: "faces/1_later.png")
    #expect(ManifestWriter.row(sample).contains(",faces/1_later.png,"))
    var other = FaceSample(
      path: "faces/1.png", file: URL(fileURLWithPath: "/data/faces/1.png"), label: .fake)
    other.later = URL(fileURLWithPath: "/elsewhere/2.png")
    let manifest = FaceManifest([sample, other])
    #expect(manifest.samples[0].later?.path == sample.later?.path)
    #expect(manifest.samples[1].later?.path == other.later?.path)
  }

  @Test func pathsStayInTheFolderAndNameFiles() throws {
    for path in ["../out.png", "/etc/passwd", "a/", "a/..", "b\u{0}c"] {
      try Paths.withTemporaryFolder { folder in
        let file = folder.appendingPathComponent("manifest.csv")
        try write("path,label,later\n1.png,REAL,\(path)\n", file)
        let error = failure { () throws(DatasetError) in try FaceManifest.read(folder).count }
        #expect(error?.description.contains("column later") == true, "\(path)")
      }
    }
  }

  @Test func missingPicturesAreFound() throws {
    try Paths.withTemporaryFolder { folder in
      try write("", folder.appendingPathComponent("1.png"))
      try write(
        "path,label,later\n1.png,REAL,1b.png\n", folder.appendingPathComponent("manifest.csv"))
      let manifest = try FaceManifest.read(folder)
      let error = failure { () throws(DatasetError) in try manifest.checkFiles() }
      #expect(error?.description.contains("1b.png") == true)
      try write("", folder.appendingPathComponent("1b.png"))
      try manifest.checkFiles()
    }
  }

  @Test func joinedAndRewrittenManifestsLeadToTheSameFiles() throws {
    try Paths.withTemporaryFolder { folder in
      let (one, two) = (
        folder.appendingPathComponent("one"), folder.appendingPathComponent("two/deep")
      )
      for place in [one, two] {
        try write(
          "path,label,later\n1.png,REAL,1b.png\n2.png,REAL,\n",
          place.appendingPathComponent("manifest.csv"))
      }
      let joined = try FaceManifest.joined([FaceManifest.read(one), FaceManifest.read(two)])
      let expected = [one, one, two, two].enumerated().map { index, place in
        index % 2 == 0 ? place.appendingPathComponent("1b.png").standardizedFileURL.path : nil
      }
      #expect(joined.samples.map { $0.later?.standardizedFileURL.path } == expected)
      let output = folder.appendingPathComponent("all.csv")
      try ManifestColumns([\.split]).write([one, two], to: output) { _, _ in true }
      let read = try FaceManifest.read(output)
      #expect(read.samples.map { $0.later?.standardizedFileURL.path } == expected)
    }
  }
}
