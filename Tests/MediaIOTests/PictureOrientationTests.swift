import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Which way up a picture is, wherever a PNG or JPEG says so.
@Suite struct PictureOrientationTests {
  private func rgb() throws -> Data { try Data(contentsOf: Paths.fixture("media/rgb8.png")) }

  /// ImageMagick's text: a name, the number of bytes, and hexadecimal digits, 36 bytes to a line.
  private func profile(_ block: Data) -> Data {
    let digits = block.map { String(format: "%02x", $0) }
    let lines = stride(from: 0, to: digits.count, by: 36).map {
      digits[$0..<min($0 + 36, digits.count)].joined()
    }
    return Data("\nexif\n\(block.count)\n\(lines.joined(separator: "\n"))\n".utf8)
  }

  private func xmp(_ orientation: String) -> Data {
    let text = """
      <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about="" \
      xmlns:tiff="http://ns.adobe.com/tiff/1.0/" \(orientation)</rdf:RDF></x:xmpmeta>
      """
    return Data(text.utf8)
  }

  private func international(_ text: Data) -> Data {
    Data("XML:com.adobe.xmp".utf8) + Data(count: 5) + text
  }

  @Test(arguments: Orientation.allCases)
  func everyPlaceInAPNG(_ orientation: Orientation) throws {
    let expected = orientation.applied(to: try ImageFile.read(rgb(), name: "stored"))
    let named = Data("Exif\0\0".utf8) + MediaBytes.exif(orientation.rawValue)
    let keyword = Data("Raw profile type exif\0".utf8)
    let value = orientation.rawValue
    let files: [Data] = [
      MediaBytes.png(try rgb(), adding: "eXIf", MediaBytes.exif(value)),
      MediaBytes.png(try rgb(), adding: "tEXt", keyword + profile(named)),
      MediaBytes.png(
        try rgb(), adding: "zTXt",
        keyword + Data(count: 1) + MediaBytes.stored(profile(named))),
      MediaBytes.png(
        try rgb(), adding: "tEXt",
        Data("Raw profile type APP1\0".utf8) + profile(MediaBytes.exif(value))),
      MediaBytes.png(
        try rgb(), adding: "iTXt", international(xmp("tiff:Orientation=\"\(value)\"/>"))),
      MediaBytes.png(
        try rgb(), adding: "iTXt",
        international(
          xmp("><tiff:Orientation>\(value)</tiff:Orientation></rdf:Description>"))),
    ]
    for (number, file) in files.enumerated() {
      #expect(try ImageFile.read(file, name: "\(number)") == expected, "file \(number)")
    }
  }

  @Test func exifGoesBeforeXMP() throws {
    let stored = try ImageFile.read(rgb(), name: "stored")
    let xmp = international(xmp("tiff:Orientation='8'/>"))
    let both = MediaBytes.png(
      MediaBytes.png(try rgb(), adding: "iTXt", xmp), adding: "eXIf", MediaBytes.exif(3))
    #expect(
      try ImageFile.read(both, name: "both") == Orientation.rotated180.applied(to: stored))
  }

  @Test func anXMPBlockTurnsAJPEG() throws {
    var jpeg = try Data(contentsOf: Paths.fixture("media/baseline-444.jpg"))
    let stored = try ImageFile.read(jpeg, name: "stored")
    let block =
      Data("http://ns.adobe.com/xap/1.0/\0".utf8) + xmp("tiff:Orientation=\"6\"/>")
    jpeg.insert(
      contentsOf: Data([0xFF, 0xE1]) + MediaBytes.bigEndian(block.count + 2, 2) + block, at: 2)
    #expect(
      try ImageFile.read(jpeg, name: "turned") == Orientation.rotated90.applied(to: stored))
  }

  @Test func nonsenseTurnsNothing() throws {
    let stored = try ImageFile.read(rgb(), name: "stored")
    let texts = [
      "", "\n", "\nexif\n", "\nexif\n8\n", "\nexif\n4\n4d4d", "\nexif\n99999999\nzz\n", "exif",
      "\nexif\n8\n4d4d002a7fffffff\n",
    ]
    for text in texts {
      let file = MediaBytes.png(
        try rgb(), adding: "tEXt", Data("Raw profile type exif\0\(text)".utf8))
      #expect(try ImageFile.read(file, name: text) == stored)
    }
    for text in ["tiff:Orientation", "tiff:Orientation=\"", "tiff:Orientation=\"9\"/>", "tiff:Or"] {
      let file = MediaBytes.png(try rgb(), adding: "iTXt", international(Data(text.utf8)))
      #expect(try ImageFile.read(file, name: text) == stored)
    }
  }
}
