import Foundation
import MediaIO
import TestSupport
import Testing

/// What folders stand for: pictures and videos by their content, links and names of any bytes
/// included.
@Suite struct FolderRuleTests {
  /// First bytes of files, without a word about the kind in their names.
  private static let heads: [(name: String, bytes: [UInt8], kind: MediaKind?)] = [
    ("jpeg", [0xFF, 0xD8, 0xFF, 0xE0], .image),
    ("png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .image),
    ("webp", text("RIFF\u{10}\0\0\0WEBPVP8 "), .image),
    ("bmp", text("BM") + [9, 9, 9, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0], .image),
    ("tiff", text("II*\0") + [8, 0, 0, 0], .image),
    ("tiff2", text("MM\0*") + [0, 0, 0, 8], .image),
    ("jp2", [0, 0, 0, 12] + text("jP  \r\n") + [0x87, 0x0A], .image),
    ("avif", box("ftyp", "avif\0\0\0\0mif1avif"), .image),
    ("avif2", box("ftyp", "mif1\0\0\0\0mif1avif"), .image),
    ("gif", text("GIF89a"), .video), ("mp4", box("ftyp", "isom\0\0\0\0isommp41"), .video),
    ("qt", box("ftyp", "qt  \0\0\0\0qt  "), .video),
    ("old", box("moov", "\0\0\0\u{8}mvhd"), .video),
    ("mkv", [0x1A, 0x45, 0xDF, 0xA3, 1, 2, 3, 4], .video),
    ("avi", text("RIFF\u{10}\0\0\0AVI LIST"), .video), ("flv", text("FLV\u{1}\u{5}"), .video),
    ("wmv", [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11], .video),
    ("ogv", text("OggS\0") + zeros(23) + [0x80] + text("theora"), .video),
    ("mpg", [0, 0, 1, 0xBA, 0x44], .video), ("h264", [0, 0, 0, 1, 0x67, 0x64], .video),
    ("ts", packets(188, start: 0), .video), ("cut", packets(188, start: 100), .video),
    ("m2ts", packets(192, start: 4), .video),
    ("heic", box("ftyp", "heic\0\0\0\0mif1heic"), .image),
    ("sequence", box("ftyp", "hevc\0\0\0\0msf1hevc"), .video),
    ("jxl", [0, 0, 0, 12] + text("JXL \r\n") + [0x87, 0x0A], .image),
    ("qoi", text("qoif\0\0\0\u{1}"), .image), ("psd", text("8BPS\0\u{1}"), .image),
    ("exr", [0x76, 0x2F, 0x31, 0x01, 2, 0, 0, 0], .image),
    ("raw", box("ftyp", "crx \0\0\0\0"), nil),
    ("m4a", box("ftyp", "M4A \0\0\0\0M4A "), nil),
    ("wav", text("RIFF\u{10}\0\0\0WAVEfmt "), nil),
    ("ogg", text("OggS\0") + zeros(23) + text("\u{1}vorbis"), nil),
    ("words", text("BM is how this text begins, and not a picture"), nil), ("empty", [], nil),
    ("rows", text("path,label\na.mp4,REAL\n"), nil),
  ]

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private static func box(_ name: String, _ content: String) -> [UInt8] {
    [0, 0, 0, UInt8(8 + content.utf8.count)] + text(name + content)
  }

  /// Packets that begin with a sync byte, as a transport stream has them.
  private static func packets(_ length: Int, start: Int) -> [UInt8] {
    zeros(start) + (0..<6).flatMap { _ in [0x47] + zeros(length - 1) }
  }

  @Test func contentDecidesWhateverTheName() throws {
    try Paths.withTemporaryFolder { folder in
      for (name, bytes, _) in Self.heads {
        try Data(bytes).write(to: folder.appendingPathComponent("\(name).x"))
      }
      func found(_ kinds: Set<MediaKind>) -> Set<String> {
        Set(
          MediaFiles.expand([folder.path], kinds: kinds).files
            .map { $0.deletingPathExtension().lastPathComponent })
      }
      func expected(_ kind: MediaKind) -> Set<String> {
        Set(Self.heads.filter { $0.kind == kind }.map(\.name))
      }
      #expect(found([.image]) == expected(.image))
      #expect(found([.video]) == expected(.video))
      #expect(found([.image, .video]) == expected(.image).union(expected(.video)))
      let none = Self.heads.count { $0.kind == nil }
      #expect(MediaFiles.expand([folder.path]).passedOver == ["x": none])
    }
  }

  @Test func aHeadThatIsCutOffIsLookedAtSafely() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("file")
      for (_, bytes, _) in Self.heads {
        for count in 0..<min(48, bytes.count) {
          try Data(bytes.prefix(count)).write(to: file)
          let found = MediaFiles.expand([folder.path])
          #expect(found.files.count + found.passedOver.values.reduce(0, +) == 1)
        }
      }
    }
  }

  @Test func whatIsPassedOverIsCountedByExtension() throws {
    try Paths.withTemporaryFolder { folder in
      for name in ["a.SVG", "b.svg", "c.txt", "README", ".hidden", "d.mp4", "e.tar.gz"] {
        try Data("words".utf8).write(to: folder.appendingPathComponent(name))
      }
      let found = MediaFiles.expand([folder.path])
      #expect(found.files.map(\.lastPathComponent) == ["d.mp4"])
      #expect(found.passedOver == ["svg": 2, "txt": 1, "": 1, "gz": 1])
      #expect(
        found.passedOverText
          == "5 files skipped: 2 .svg, 1 without an extension, 1 .gz, 1 .txt")
      // Named, a file is taken whatever it is.
      #expect(MediaFiles.expand([folder.path + "/c.txt"]).files.count == 1)
      #expect(MediaFiles.expand([folder.path + "/c.txt"]).passedOverText == nil)
      // A pipe is not opened, which would wait for ever.
      try #require(mkfifo(folder.path + "/pipe", 0o644) == 0)
      #expect(MediaFiles.expand([folder.path]).passedOver[""] == 2)
      for index in 0..<12 {
        try Data().write(to: folder.appendingPathComponent("x.e\(index)"))
      }
      #expect(MediaFiles.expand([folder.path]).passedOverText?.contains("more kinds") == true)
    }
  }

  @Test func linkedFoldersAreFollowedOnce() throws {
    try Paths.withTemporaryFolder { folder in
      let files = FileManager.default
      for path in ["in/deep", "out/far"] {
        try files.createDirectory(
          at: folder.appendingPathComponent(path), withIntermediateDirectories: true)
      }
      for path in ["in/deep/a.png", "out/b.png", "out/far/c.png"] {
        try Data().write(to: folder.appendingPathComponent(path))
      }
      // Two ways to one folder, a way back to the start and one to itself.
      for (link, target) in [
        ("in/link", "../out"), ("in/other", "../out"), ("in/deep/up", "../../in"),
        ("in/self", "self"), ("out/back", "../in"),
      ] {
        try files.createSymbolicLink(
          atPath: folder.path + "/" + link, withDestinationPath: target)
      }
      let found = MediaFiles.expand([folder.path + "/in"])
      let names = found.files.map {
        $0.path.replacingOccurrences(of: folder.path + "/in/", with: "")
      }
      #expect(names == ["deep/a.png", "link/b.png", "link/far/c.png"])
      #expect(found.passedOver == ["": 1], "the link to itself leads nowhere")
    }
  }

  #if os(Linux)
    @Test func namesOfAnyBytesAreRead() throws {
      try Paths.withTemporaryFolder { folder in
        let picture = try Data(contentsOf: Paths.fixture("media/rgb8.png"))
        let name = FilePath.text([0x62, 0xFF] + Array(".png".utf8))
        let path = folder.path + "/" + name
        let descriptor = FilePath.withBytes(path) { open($0, O_CREAT | O_WRONLY, 0o644) }
        try #require(descriptor >= 0)
        try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: picture)
        for found in [
          MediaFiles.expand([folder.path]), MediaFiles.expand([path]),
          .expand([folder.path + "/b*"]),
        ] {
          #expect(found.problems.isEmpty && found.files.count == 1)
          let file = try #require(found.files.first)
          #expect(try MediaKind.of(file) == .image)
          #expect(try ImageFile.read(file).width > 0)
          #expect(try SHA256.digits(ofFile: file).digits == SHA256.digits(of: picture))
        }
        #expect(FilePath.shown(name) == "b\u{FFFD}.png")
      }
    }
  #endif

  @Test func pathsOfAnyBytesComeBack() {
    var generator = SystemRandomNumberGenerator()
    let odd: [[UInt8]] = [
      [], [0xFF], [0x61, 0xC3], [0xE9, 0x2E, 0x6D], Array("é漢😀".utf8), Array("\u{10F7FF}".utf8),
      [0xF4, 0x8F, 0x9F], [0xED, 0xA0, 0x80], [0xC0, 0x80],
    ]
    let random = (0..<200).map { _ in
      (0..<12).map { _ in UInt8.random(in: 1...255, using: &generator) }
    }
    for bytes in odd + random {
      let text = FilePath.text(bytes)
      let back = FilePath.withBytes(text) {
        Array(UnsafeRawBufferPointer(start: $0, count: strlen($0)))
      }
      #expect(back == bytes)
    }
    #expect(FilePath.text(Array("é漢😀".utf8)) == "é漢😀")
  }
}
