import FaceData
import FaceDetect
import Foundation
import Measures
import TestSupport
import Testing

@Suite struct FaceManifestTests {
  /// The manifest that a CSV text holds.
  private func read(_ text: String) throws -> FaceManifest {
    try withCSV(text) { try FaceManifest.read($0) }
  }

  /// The message of the error that reading ends in.
  private func problem(_ text: String) throws -> String {
    try problem(Data(text.utf8))
  }

  private func problem(_ bytes: Data) throws -> String {
    try withCSV(bytes) { file in
      let error = failure { () throws(DatasetError) in try FaceManifest.read(file).count }
      let text = error?.description ?? ""
      #expect(text.hasPrefix(file.relativePath))
      return String(text.dropFirst(file.relativePath.count))
    }
  }

  @Test func readsAPlainList() throws {
    let manifest = try read("path,label,origin\nswap/real/a.jpg,REAL,mesonet\nb.png,fake,\n")
    #expect(manifest.count == 2)
    let samples = manifest.samples
    #expect(samples[0].path == "swap/real/a.jpg")
    #expect(samples[0].file.path.hasSuffix("/swap/real/a.jpg"))
    #expect(samples[0].file.path.hasPrefix("/"))
    #expect(samples[0].label == .real && samples[1].label == .fake)
    #expect(samples[0].origin == "mesonet" && samples[1].origin == nil)
    #expect(samples[0].video == nil && samples[0].person == nil && samples[0].landmarks == nil)
    #expect(manifest.label(1) == .fake && manifest.count(.fake) == 1)
  }

  @Test func readsEveryColumnInAnyOrder() throws {
    let manifest = try read(
      """
      landmarks, Time,label,SPLIT,original,person,video,path,box,frame,score,source,hue
      1 2 3 4 5 6 7 8 9 10.5,1.25,1,train,orig.mp4,"Anna, B.",v.mp4,"d/""x"".jpg",1 2 -3 \
      4.5,7,0.9,ab,1
      ,,0,train,,,,y.jpg,,,,,
      """)
    let sample = manifest.samples[0]
    #expect(sample.path == "d/\"x\".jpg")
    #expect(sample.person == "Anna, B." && sample.video == "v.mp4")
    #expect(sample.original == "orig.mp4" && sample.split == "train")
    #expect(sample.time == 1.25 && sample.label == .fake)
    #expect(sample.landmarks?.map(\.x) == [1, 3, 5, 7, 9])
    #expect(sample.landmarks?.map(\.y) == [2, 4, 6, 8, 10.5])
    #expect(manifest.samples[1].time == nil && manifest.samples[1].landmarks == nil)
    #expect(sample.box == Box(x1: 1, y1: 2, x2: -3, y2: 4.5))
    #expect(sample.frame == 7 && sample.score == 0.9 && sample.source == "ab")
    let plain = manifest.samples[1]
    #expect(plain.box == nil && plain.frame == nil && plain.score == nil && plain.source == nil)
    #expect(manifest.ignoredColumns == ["hue"])
  }

  @Test func readsBackWhatIsWritten() throws {
    var sample = FaceSample(path: "a, b/\"c\".jpg", label: .fake)
    sample.video = "v"
    sample.original = "o"
    sample.person = "two\nlines"
    sample.split = "train"
    sample.fold = 3
    sample.group = "g1"
    sample.origin = "DFDC"
    sample.frame = 299
    sample.time = 10.0 / 3
    sample.box = Box(x1: -0.1, y1: 1e-7, x2: 1234.5678, y2: 0.3)
    sample.landmarks = (0..<5).map { Point(x: Float($0) / 3, y: -Float($0) / 7) }
    sample.score = 0.999_999_9
    sample.source = "ff00"
    let bare = FaceSample(path: "bare.png", label: .real)
    let text = ManifestWriter.header + [sample, bare].map(ManifestWriter.row).joined()
    let manifest = try read(text)
    for (back, original) in zip(manifest.samples, [sample, bare]) {
      var back = back
      back.file = original.file
      #expect(back == original)
    }
    #expect(manifest.ignoredColumns.isEmpty)
    // Samples made in code, and joined ones, keep everything too, and what a teacher says.
    sample.probability = 0.97
    sample.teacher = "default, SHA-256 00ff"
    let joined = try FaceManifest.joined([FaceManifest([bare]), FaceManifest([sample])])
    for (back, original) in zip(joined.samples, [bare, sample]) {
      var back = back
      back.file = original.file
      #expect(back == original)
    }
  }

  @Test func readsOddFiles() throws {
    // A byte order mark, CRLF, blank lines, quotes where none are needed, no line end at the end.
    let manifest = try read("\u{FEFF}\"path\",label\r\n\r\n\"a.jpg\",REAL\r\n\r\nb.jpg,FAKE")
    #expect(manifest.samples.map(\.path) == ["a.jpg", "b.jpg"])
    // What spreadsheets write under the same name.
    for separator in [";", "\t"] {
      let rows = ["path,label,video", "\"a,b.jpg\",REAL,v", "c.jpg,FAKE,"]
      let text = rows.map { $0.replacing(",", with: separator) }.joined(separator: "\n")
      let other = try read(text.replacing("a\(separator)b", with: "a,b"))
      #expect(other.samples.map(\.path) == ["a,b.jpg", "c.jpg"])
      #expect(other.samples.map(\.video) == ["v", nil])
    }
    // Old line ends, and a line end within quotes.
    let old = try read("path,label\r\"a\nb.jpg\",REAL\rc.jpg,FAKE\r")
    #expect(old.samples.map(\.path) == ["a\nb.jpg", "c.jpg"])
  }

  @Test func refusesWhatCannotBeRight() throws {
    #expect(try problem("") == ": is empty; it needs a header with path and label")
    #expect(try problem("path,label\n") == ": lists no picture")
    #expect(try problem("file,label\na,REAL\n").contains("line 1: the header has no column path"))
    #expect(
      try problem("path,label\na.jpg,REAL\n\nb.jpg,maybe\n")
        == ": line 4, column label: is 'maybe'; it must be REAL or FAKE (or 0 or 1)")
    #expect(try problem("path,label,path\na,REAL,b\n").contains("is in the header twice"))
    #expect(try problem("path,label,box\na,REAL,1 2 3\n").contains("column box: is '1 2 3'"))
    #expect(try problem("path,label,frame\na,REAL,-1\n").contains("line 2, column frame: is '-1'"))
    #expect(try problem("path,label,score\na,REAL,nan\n").contains("column score: is 'nan'"))
    #expect(try problem("path,label\n,REAL\n").contains("line 2, column path: is empty"))
    #expect(try problem("path,label\nfolder/,REAL\n").contains("does not name a file"))
    #expect(try problem("path,label\n..,REAL\n").contains("does not name a file"))
    #expect(
      try problem("path,label\na/b.jpg,REAL\nc.jpg,FAKE\na//./b.jpg,REAL\n")
        == ": line 4, column path: 'a/b.jpg' is in line 2 already; remove one")
    #expect(try problem("path,label,time\na,REAL,soon\n").contains("not a number of seconds"))
    #expect(try problem("path,label,time\na,REAL,inf\n").contains("not a number of seconds"))
    #expect(try problem("path,label,landmarks\na,REAL,1 2 3\n").contains("must be ten numbers"))
    #expect(
      try problem("path,label,landmarks\na,REAL,1 2 3 4 5 6 7 8 9 nan\n")
        .contains("must be ten numbers"))
  }

  @Test func refusesCutOffFiles() throws {
    #expect(
      try problem("path,label\na.jpg,REAL\nb.j")
        == ": line 3: has 1 field, but the header 2;"
        + " is the file truncated, or a comma not in quotes?")
    #expect(
      try problem("path,label\na.jpg,REAL\nb.jpg,FA").contains("line 3, column label: is 'FA'"))
    #expect(try problem("path,label\na.jpg,REAL\n\"b.jp").contains("line 3: the file ends inside"))
    #expect(try problem("path,label\na.jpg,REAL,\n").contains("has 3 fields, but the header 2"))
    #expect(
      try problem("path,label\n\"a\"x,REAL\n").contains("line 2: text follows a closing quote"))
  }

  @Test func refusesOtherEncodings() throws {
    #expect(try problem(Data([0xFF, 0xFE, 0x70, 0x00])).contains("is UTF-16; save it as UTF-8"))
    let latin = Data("path,label\n".utf8) + [0xE9] + Data(".jpg,REAL\n".utf8)
    #expect(try problem(latin).contains("line 2, column path: is not UTF-8"))
    #expect(try problem("path,label\na\0b.jpg,REAL\n").contains("zero byte"))
    let long = "path,label\n\"" + String(repeating: "x", count: 3 << 20) + "\n"
    #expect(try problem(long).contains("is a closing quote missing?"))
  }

  @Test func keepsAFoldersManifestInTheFolder() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("manifest.csv")
      for path in ["../a.jpg", "/etc/a.jpg", "b/../../a.jpg"] {
        try Data("path,label\n\(path),REAL\n".utf8).write(to: file)
        #expect(throws: DatasetError.self) { try FaceManifest.read(folder) }
        // Listed in a file that is named itself, pictures may be anywhere.
        #expect(try FaceManifest.read(file).count == 1)
      }
      try Data("path,label\nb/../a.jpg,REAL\n/c.jpg,FAKE\n".utf8).write(to: file)
      let samples = try FaceManifest.read(file).samples
      #expect(samples[0].path == "a.jpg")
      #expect(samples[1].file.path == "/c.jpg")
    }
  }

  @Test func namesFoldersWithoutAManifest() throws {
    try Paths.withTemporaryFolder { folder in
      #expect(throws: DatasetError.self) { try FaceManifest.read(folder) }
      let missing = folder.appendingPathComponent("none")
      let error = failure { () throws(DatasetError) in try FaceManifest.read(missing).count }
      #expect(error?.description.contains("there is no such file or folder") == true)
    }
  }

  @Test func listsMissingFiles() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("faces.csv")
      let rows = (0..<25).map { "\($0).jpg,REAL\n" }.joined()
      try Data(("path,label\n" + rows).utf8).write(to: file)
      let manifest = try FaceManifest.read(file)
      for index in 0..<8 { try Data().write(to: folder.appendingPathComponent("\(index).jpg")) }
      let error = failure { () throws(DatasetError) in try manifest.checkFiles() }
      guard case .missingFiles(let count, let first) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(count == 17 && first.count == 10)
      #expect(first[0].hasSuffix("/8.jpg"))
      #expect(error?.description.contains("17 pictures are missing") == true)
      #expect(error?.description.contains("and 7 more") == true)
      for index in 8..<25 { try Data().write(to: folder.appendingPathComponent("\(index).jpg")) }
      try manifest.checkFiles()
    }
  }

  @Test func digestsTheFile() throws {
    // sha256sum of the text.
    let manifest = try read("path,label\na.jpg,REAL\n")
    #expect(
      manifest.digest == "79b44bff1382a6872da9dcf3195555bd1989a1f73691f999a7bd8416ba360ea0")
    #expect(manifest.filtered(pathPrefix: "a").digest == manifest.digest)
  }

  @Test func filtersAndJoins() throws {
    let first = try read(
      "path,label,origin,person\na/1.jpg,REAL,x,p\na/2.jpg,FAKE,y,q\nb/1.jpg,REAL,x,\n")
    let second = try read("path,label,person,landmarks\nc.jpg,FAKE,p,1 2 3 4 5 6 7 8 9 10\n")
    #expect(first.filtered(pathPrefix: "a/").samples.map(\.path) == ["a/1.jpg", "a/2.jpg"])
    #expect(first.filtered(origin: "x").samples.map(\.path) == ["a/1.jpg", "b/1.jpg"])
    #expect(first.filtered(pathPrefix: "a/", origin: "x").count == 1)
    #expect(first.filtered(origin: "z").isEmpty)
    #expect(first.subset([2, 0]).samples.map(\.path) == ["b/1.jpg", "a/1.jpg"])
    let joined = try FaceManifest.joined([first, second])
    #expect(joined.count == 4)
    #expect(Array(joined.samples) == Array(first.samples) + Array(second.samples))
    #expect(joined.digest.count == 64 && joined.digest != first.digest)
    #expect(throws: DatasetError.self) { try FaceManifest.joined([first, first]) }
  }

  @Test func holdsSamplesMadeInCode() {
    var sample = FaceSample(
      path: "b.jpg", file: URL(fileURLWithPath: "/data/b.jpg"), label: .fake)
    sample.video = "v"
    sample.time = 2
    sample.landmarks = (0..<5).map { .init(x: Float($0), y: 1) }
    let manifest = FaceManifest([sample])
    #expect(Array(manifest.samples) == [sample])
    #expect(manifest.videoNumber(0) != nil)
  }
}
