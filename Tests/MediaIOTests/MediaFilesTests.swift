import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct MediaFilesTests {
  @Test func contentTellsTheKind() throws {
    for expected in Expected.all.images {
      #expect(try MediaKind.of(Paths.fixture("media/\(expected.file)")) == .image)
    }
    for expected in Expected.all.videos {
      #expect(
        try MediaKind.of(Paths.fixture("media/\(expected.file)")) == .video, "\(expected.file)")
    }
    #expect(try MediaKind.of(Paths.fixture("make_media.py")) == nil)
    #expect(try MediaKind.of(Paths.fixture("media/expected.json")) == nil)
    #expect(throws: MediaError.self) { try MediaKind.of(Paths.fixture("media/none.png")) }
    #expect(throws: MediaError.self) { try MediaKind.of(Paths.fixture("media")) }
  }

  @Test func extensionsTellTheKindWithoutReading() {
    #expect(MediaKind(extensionOf: URL(fileURLWithPath: "/x/a.JPG")) == .image)
    #expect(MediaKind(extensionOf: URL(fileURLWithPath: "/x/a.b.mkv")) == .video)
    #expect(MediaKind(extensionOf: URL(fileURLWithPath: "/x/a.txt")) == nil)
    #expect(MediaKind(extensionOf: URL(fileURLWithPath: "/x/mp4")) == nil)
  }

  @Test func namesThatDifferInBytesAreTwoFiles() throws {
    try Paths.withTemporaryFolder { folder in
      // é as one character, and as an e with an accent.
      for name in ["\u{e9}.png", "e\u{301}.png"] {
        let path = folder.path + "/" + name
        try #require(FileManager.default.createFile(atPath: path, contents: Data()))
      }
      // Some file systems hold them for one name, too.
      let count = try FileManager.default.contentsOfDirectory(atPath: folder.path).count
      #expect(MediaFiles.expand([folder.path]).files.count == count)
    }
  }

  @Test func pathsFoldersAndPatternsExpand() throws {
    try Paths.withTemporaryFolder { folder in
      let names = [
        "b.mp4", "a.mp4", "c.PNG", "notes.txt", ".hidden.mp4", "deep/er/d.jpg", "deep/e.webm",
        "odd[1].mp4", "noname",
      ]
      for name in names {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(name.utf8).write(to: url)
      }
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("folder.mp4/empty"), withIntermediateDirectories: true)
      func expand(_ paths: [String], _ kinds: Set<MediaKind> = [.image, .video]) -> [String] {
        let root = folder.resolvingSymlinksInPath().path + "/"
        let result = MediaFiles.expand(paths.map { folder.path + "/" + $0 }, kinds: kinds)
        return result.files.map {
          $0.resolvingSymlinksInPath().path.replacingOccurrences(of: root, with: "")
        } + result.problems.map { _ in "problem" }
      }
      #expect(
        expand([""]) == [
          "a.mp4", "b.mp4", "c.PNG", "deep/e.webm", "deep/er/d.jpg", "odd[1].mp4",
        ])
      #expect(expand([""], [.image]) == ["c.PNG", "deep/er/d.jpg"])
      #expect(expand(["notes.txt", "noname"]) == ["notes.txt", "noname"])
      #expect(expand(["[ab].mp4"]) == ["a.mp4", "b.mp4"])
      #expect(expand(["d*p"]) == ["deep/e.webm", "deep/er/d.jpg"])
      #expect(expand(["odd[1].mp4"]) == ["odd[1].mp4"])
      #expect(expand(["b.mp4", "", "a.mp4"]).prefix(2) == ["b.mp4", "a.mp4"])
      #expect(expand(["b.mp4", "./b.mp4"]) == ["b.mp4"])
      #expect(expand(["missing.mp4", "a.mp4"]) == ["a.mp4", "problem"])
      #expect(expand(["x*"]) == ["problem"])
      #expect(expand(["folder.mp4"]) == ["problem"])
    }
  }

  @Test func nothingInAFolderIsPassedOverInSilence() throws {
    try Paths.withTemporaryFolder { folder in
      try Data("a".utf8).write(to: folder.appendingPathComponent("a.mp4"))
      let links = ["link.mp4": "a.mp4", "dangling.mp4": "nowhere", "dangling.txt": "nowhere"]
      for (link, target) in links {
        try FileManager.default.createSymbolicLink(
          atPath: folder.path + "/" + link, withDestinationPath: target)
      }
      let found = MediaFiles.expand([folder.path])
      // A link is a file of its own.
      #expect(found.files.map(\.lastPathComponent) == ["a.mp4", "link.mp4"])
      #expect(
        found.problems.map(\.description)
          == ["\(folder.path)/dangling.mp4: cannot be read: the target of the link does not exist"])
      #expect(found.passedOver == ["txt": 1])
      #expect(found.passedOverText == "1 file skipped: .txt")
    }
  }

  @Test func errorsNameFilesAsTheyWereGiven() {
    let url = URL(fileURLWithPath: "no/such.png")
    for read in [{ _ = try ImageFile.read(url) }, { _ = try Video(url) }] {
      let error = #expect(throws: MediaError.self) { try read() }
      #expect(error?.description.hasPrefix("no/such.png: ") == true)
    }
  }

  @Test func problemsSayWhatIsMissing() {
    let problems = MediaFiles.expand(["/nowhere/a.mp4", "/nowhere/*.mp4"]).problems
    #expect(problems.count == 2)
    #expect(
      problems.first?.description == "/nowhere/a.mp4: there is no such file or folder")
    #expect(problems.last?.description == "/nowhere/*.mp4: no file matches")
  }
}
