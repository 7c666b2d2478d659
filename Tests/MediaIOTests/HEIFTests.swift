import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// HEIC and AVIF: cut, turned and put together as the file says, and refused where it makes no
/// sense.
@Suite struct HEIFTests {
  private func fixture(_ name: String) throws -> Data {
    try Data(contentsOf: Paths.fixture("media/\(name)"))
  }

  /// The file with the box of a kind, which stands in it once, renamed and its first byte replaced.
  private func replacing(
    _ kind: String, in data: Data, by other: String, first: UInt8? = nil
  ) throws -> Data {
    let place = try #require(data.range(of: Data(kind.utf8)))
    var result = data
    result.replaceSubrange(place, with: Data(other.utf8))
    if let first { result[place.upperBound] = first }
    return result
  }

  @Test func everyTurnAndMirror() throws {
    let turned = try fixture("exif.avif")
    let stored = try ImageFile.read(replacing("irot", in: turned, by: "free"), name: "stored")
    #expect(stored.width == 64 && stored.height == 48)
    let turns: [Orientation] = [.upright, .rotated270, .rotated180, .rotated90]
    for (number, turn) in turns.enumerated() {
      let file = try replacing("irot", in: turned, by: "irot", first: UInt8(number))
      #expect(try ImageFile.read(file, name: "turned") == turn.applied(to: stored))
    }
    for (axis, mirror) in [Orientation.flipped, .mirrored].enumerated() {
      let file = try replacing("irot", in: turned, by: "imir", first: UInt8(axis))
      #expect(try ImageFile.read(file, name: "mirrored") == mirror.applied(to: stored))
    }
  }

  @Test func anApertureCutsThePicture() throws {
    let data = try fixture("rgb.heic")
    let whole = try ImageFile.read(replacing("clap", in: data, by: "free"), name: "whole")
    let place = try #require(data.range(of: Data("clap".utf8))).upperBound
    /// Width, height and the middle's offsets, as halves.
    func cut(_ values: [Int]) throws -> Image {
      var file = data
      let fields = values.reduce(Data()) {
        $0 + MediaBytes.bigEndian($1, 4) + MediaBytes.bigEndian(2, 4)
      }
      file.replaceSubrange(place..<place + 32, with: fields)
      return try ImageFile.read(file, name: "cut")
    }
    let middle = try cut([40, 20, 0, 0])
    let (x, y) = ((whole.width - 20) / 2, (whole.height - 10) / 2)
    #expect(middle == whole.cropped(x: x, y: y, width: 20, height: 10))
    #expect(try cut([40, 20, -8, 4]) == whole.cropped(x: x - 4, y: y + 2, width: 20, height: 10))
    for odd in [[0, 20, 0, 0], [40, 2000, 0, 0], [40, 20, 1000, 0], [-40, 20, 0, 0]] {
      #expect(try cut(odd) == whole)
    }
  }

  @Test func tilesMakeOnePicture() throws {
    let data = try fixture("grid.heic")
    let image = try ImageFile.read(data, name: "grid")
    #expect(image.width == 120 && image.height == 100)
    // The layout: version, flags, rows and columns less one, width, height.
    let place = try #require(data.range(of: Data("idat".utf8))).upperBound
    func read(_ layout: [UInt8]) throws -> Image {
      var file = data
      file.replaceSubrange(place..<place + layout.count, with: layout)
      return try ImageFile.read(file, name: "grid")
    }
    #expect(try read([0, 0, 1, 1, 0, 128, 0, 128]).width == 128)
    #expect(try read([0, 0, 3, 0, 0, 60, 0, 200]).height == 200)
    let odd: [[UInt8]] = [
      [0, 0, 1, 0, 0, 120, 0, 100], [0, 0, 3, 0, 0, 60, 0, 100], [0, 0, 1, 1, 0, 0, 0, 100],
      [0, 0, 1, 1, 0, 129, 0, 100], [0, 0, 1, 1, 0, 64, 0, 100], [0, 0, 255, 255, 0, 120, 0, 100],
      [0, 1, 1, 1, 0, 120, 0, 100],
    ]
    for layout in odd {
      #expect(throws: MediaError.self, "\(layout)") { _ = try read(layout).width }
    }
  }

  @Test func errorsSayWhatIsWrongAndWhatToDo() throws {
    func message(_ data: Data) -> String {
      do {
        _ = try ImageFile.read(data, name: "a.heic")
        return ""
      } catch {
        return error.description
      }
    }
    let data = try fixture("rgb.heic")
    #expect(message(try replacing("hvc1", in: data, by: "iovl")).contains("of the kind iovl"))
    #expect(message(try replacing("hvc1", in: data, by: "iovl")).contains("Convert it to PNG"))
    #expect(message(try replacing("pitm", in: data, by: "free")).contains("no main picture"))
    #expect(message(try replacing("meta", in: data, by: "free")).contains("is truncated"))
    let size = try #require(data.range(of: Data("ispe".utf8))).upperBound
    var huge = data
    huge.replaceSubrange(size + 4..<size + 12, with: Data(repeating: 0x7F, count: 8))
    #expect(message(huge).contains("is too large"))
    for length in stride(from: 12, to: data.count, by: 7) {
      #expect(message(data.prefix(length)).hasPrefix("a.heic: is "), "\(length) bytes")
    }
  }

  /// A table of places whose extents have no bytes of their own names any number of them.
  @Test func extentsThatCostNothingAreRefused() throws {
    let places = Data([0, 0, 0, 1, 0, 1, 0, 0, 0xFF, 0xFF])
    let meta = MediaBytes.fullBox(
      "meta",
      MediaBytes.fullBox("pitm", Data([0, 1])) + MediaBytes.fullBox("iloc", places))
    let head = MediaBytes.box("ftyp", Data("heic".utf8) + Data(count: 4))
    let error = #expect(throws: MediaError.self) { try ImageFile.read(head + meta, name: "a") }
    #expect(error?.description.contains("iloc") == true)
  }

  @Test func othersAreToldByTheirContent() throws {
    try Paths.withTemporaryFolder { folder in
      for name in ["lossless.webp", "rgb.avif", "rgb.heic", "rgb.tif", "rgb.bmp", "rgb.jp2"] {
        let url = folder.appendingPathComponent("\(name).jpg")
        try FileManager.default.copyItem(at: Paths.fixture("media/\(name)"), to: url)
        #expect(try MediaKind.of(url) == .image)
        #expect(try ImageFile.read(url) == ImageFile.read(Paths.fixture("media/\(name)")))
      }
    }
  }

  /// The size is in the header; 8 bytes of it say that the picture has 2^32 pixels and more.
  @Test func hugePicturesAreRefusedBeforeTheyAreDecoded() throws {
    var qoi = try fixture("rgb.qoi")
    qoi.replaceSubrange(4..<12, with: Data([0, 1, 0, 0, 0, 1, 0, 0]))
    var bmp = try fixture("rgb.bmp")
    bmp.replaceSubrange(18..<26, with: Data([0, 0, 1, 0, 0, 0, 1, 0]))
    for data in [qoi, bmp] {
      let error = #expect(throws: MediaError.self) { try ImageFile.read(data, name: "a") }
      let message = error?.description ?? ""
      #expect(message.hasPrefix("a: 65536x65536 is too large"), "\(message)")
    }
  }
}
