import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct ImageFileTests {
  @Test func fixturesAreThere() {
    #expect(Expected.all.images.count == 56)
    #expect(Expected.all.videos.count == 29)
  }

  @Test(arguments: Expected.all.images)
  func pixelsAreThoseOfPillow(_ expected: Expected.Picture) throws {
    let image = try ImageFile.read(Paths.fixture("media/\(expected.file)"))
    #expect(image.width == expected.width && image.height == expected.height)
    try #require(image.pixels.count == expected.pixels.count)
    let errors = zip(image.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
    #expect((errors.max() ?? 0) <= expected.tolerance)
  }

  /// A picture in which every pixel is different.
  private func ramp(width: Int, height: Int) -> Image {
    Image(width: width, height: height) { pixels in
      for i in 0..<width * height {
        pixels[3 * i] = UInt8(i % width * 255 / width)
        pixels[3 * i + 1] = UInt8(i / width * 255 / height)
        pixels[3 * i + 2] = UInt8(i * 255 / (width * height))
      }
    }
  }

  @Test(arguments: [(1, 1), (17, 5), (64, 64), (3, 200)])
  func pngKeepsEveryPixel(width: Int, height: Int) throws {
    let image = ramp(width: width, height: height)
    let data = try ImageFile.encode(image, as: .png)
    #expect(try ImageFile.read(data, name: "memory") == image)
  }

  @Test(arguments: [(100, 3), (95, 6), (75, 20)])
  func jpegStaysClose(quality: Int, tolerance: Int) throws {
    let image = ramp(width: 67, height: 45)
    let read = try ImageFile.read(
      ImageFile.encode(image, as: .jpeg(quality: quality)), name: "memory")
    #expect(read.width == 67 && read.height == 45)
    let errors = zip(read.pixels, image.pixels).map { abs(Int($0) - Int($1)) }
    #expect((errors.max() ?? 0) <= tolerance)
  }

  @Test func writesByExtensionAndReplacesWhatWasThere() throws {
    let image = ramp(width: 20, height: 10)
    try Paths.withTemporaryFolder { folder in
      let png = folder.appendingPathComponent("a.PNG")
      try Data("old".utf8).write(to: png)
      try ImageFile.write(image, to: png)
      #expect(try ImageFile.read(png) == image)
      let jpeg = folder.appendingPathComponent("a.jpeg")
      try ImageFile.write(image, to: jpeg)
      #expect(try Data(contentsOf: jpeg).prefix(2) == Data([0xFF, 0xD8]))
      #expect(throws: MediaError.self) {
        try ImageFile.write(image, to: folder.appendingPathComponent("a.bmp"))
      }
      #expect(throws: MediaError.self) {
        try ImageFile.write(image, to: folder.appendingPathComponent("missing/a.png"))
      }
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(left == ["a.PNG", "a.jpeg"])
    }
  }

  @Test func contentDecidesAndNotTheName() throws {
    try Paths.withTemporaryFolder { folder in
      let misnamed = folder.appendingPathComponent("picture.jpg")
      try FileManager.default.copyItem(at: Paths.fixture("media/rgb8.png"), to: misnamed)
      #expect(try ImageFile.read(misnamed) == ImageFile.read(Paths.fixture("media/rgb8.png")))
    }
  }

  @Test func otherFilesAreRefusedInWords() throws {
    let message = { (data: Data) -> String in
      do {
        _ = try ImageFile.read(data, name: "some.file")
        return ""
      } catch {
        return String(describing: error)
      }
    }
    #expect(message(Data()).contains("some.file: cannot be decoded: it is empty"))
    let animation = try Data(contentsOf: Paths.fixture("media/animation.gif"))
    #expect(message(animation).contains("it is a video, not a picture"))
    #expect(message(Data("no picture".utf8)).contains("picture format is not supported"))
    let error = #expect(throws: MediaError.self) {
      try ImageFile.read(URL(fileURLWithPath: "/nowhere/at all.png"))
    }
    #expect(error?.description.contains("/nowhere/at all.png: cannot be read") == true)
    #expect(throws: MediaError.self) { try ImageFile.read(Paths.fixture("media")) }
    #expect(throws: MediaError.self) { try ImageFile.read(URL(fileURLWithPath: "/dev/zero")) }
  }

  @Test(arguments: ["baseline-420.jpg", "progressive.jpg", "rgb8.png", "rgb8-interlaced.png"])
  func aCutOffPictureIsAnError(_ name: String) throws {
    let data = try Data(contentsOf: Paths.fixture("media/\(name)"))
    for length in stride(from: 20, to: data.count - 24, by: 13) {
      #expect(throws: MediaError.self, "\(length) of \(data.count) bytes") {
        try ImageFile.read(data.prefix(length), name: name)
      }
    }
  }

  /// A picture of which only the end marker is missing is whole.
  @Test func aMissingEndMarkerDoesNoHarm() throws {
    let data = try Data(contentsOf: Paths.fixture("media/baseline-444.jpg"))
    let whole = try ImageFile.read(data, name: "whole")
    #expect(try ImageFile.read(data.dropLast(2), name: "cut") == whole)
    let png = try Data(contentsOf: Paths.fixture("media/rgb8.png"))
    #expect(try ImageFile.read(png.dropLast(12), name: "cut").width == 29)
  }

  @Test func aHugePictureIsRefusedBeforeItIsAllocated() throws {
    var jpeg = try Data(contentsOf: Paths.fixture("media/baseline-444.jpg"))
    let frame = try #require(jpeg.range(of: Data([0xFF, 0xC0])))
    jpeg.replaceSubrange(
      frame.lowerBound + 5..<frame.lowerBound + 9, with: [0xFF, 0x00, 0xFF, 0x00])
    let refused = #expect(throws: MediaError.self) { try ImageFile.read(jpeg, name: "huge") }
    #expect(refused?.description.contains("huge: is truncated") == true)
    // With enough bytes behind it, it is the limit that refuses.
    jpeg.append(Data(count: 8 << 20))
    #expect(
      throws: MediaError.tooLarge(
        file: "huge", width: 0xFF00, height: 0xFF00,
        limit: "at most \(ImageFile.pixelLimit) pixels are allowed")
    ) { try ImageFile.read(jpeg, name: "huge") }
  }

  @Test func orientationComesFromEitherByteOrderAndNeverFromDamage() {
    func orientation(_ bytes: [UInt8]) -> Orientation? {
      bytes.withUnsafeBytes { EXIF.orientation($0) }
    }
    let little: [UInt8] = [
      0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(orientation(little) == .rotated90)
    let big: [UInt8] = [
      0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 0,
    ]
    #expect(orientation(big) == .rotated270)
    var outside = little
    outside.replaceSubrange(4..<8, with: [0xFF, 0xFF, 0xFF, 0x7F])
    #expect(orientation(outside) == nil)
    var unknown = little
    unknown[18] = 9
    #expect(orientation(unknown) == nil)
    for length in 0..<little.count where length < 20 {
      #expect(orientation(Array(little.prefix(length))) == nil)
    }
  }
}
