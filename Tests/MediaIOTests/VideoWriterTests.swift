import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct VideoWriterTests {
  /// Four patches of colour that move along by a pixel a frame.
  private func picture(_ index: Int, width: Int = 64, height: Int = 48) -> Image {
    let colors: [Color] = [.red, .green, .yellow, .white]
    var image = Image(width: width, height: height) { $0.update(repeating: 60) }
    for (i, color) in colors.enumerated() {
      let left = Float(width * i / 4 + index % 4)
      image.drawRectangle(
        left: left, top: Float(height / 4), right: left + Float(width / 6),
        bottom: Float(height * 3 / 4), color: color, thickness: height)
    }
    return image
  }

  private func write(
    _ url: URL, _ pictures: [Image], times: [Double?], rate: Double = 25, width: Int = 64,
    height: Int = 48
  ) throws {
    let writer = try VideoWriter(url, width: width, height: height, frameRate: rate)
    for (picture, time) in zip(pictures, times) { try writer.append(picture, time: time) }
    try writer.finish()
  }

  private func read(_ url: URL) throws -> (info: VideoInfo, frames: [VideoFrame]) {
    let video = try Video(url)
    var frames: [VideoFrame] = []
    let summary = try video.forEachFrame { frames.append($0) }
    #expect(summary.isIntact && summary.warnings.isEmpty, "\(summary)")
    return (video.info, frames)
  }

  /// Mean difference of the pixels, in levels.
  private func difference(_ a: Image, _ b: Image) -> Double {
    guard a.width == b.width, a.height == b.height else { return .infinity }
    let sum = zip(a.pixels, b.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return Double(sum) / Double(a.pixels.count)
  }

  @Test(arguments: ["clip.mp4", "clip.mkv", "clip.mov", "CLIP.M4V"])
  func picturesAndTimesComeBack(_ name: String) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      let pictures = (0..<40).map { picture($0) }
      try write(url, pictures, times: pictures.map { _ in nil }, rate: 30000 / 1001)
      let (info, frames) = try read(url)
      #expect(info.width == 64 && info.height == 48 && !info.hasAudio)
      #expect(["h264", "mpeg4"].contains(info.codec))
      try #require(frames.count == 40)
      for frame in frames {
        #expect(abs(frame.time - Double(frame.index) * 1001 / 30000) < 0.001)
        #expect(difference(frame.image, pictures[frame.index]) < 8, "frame \(frame.index)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
    }
  }

  @Test(arguments: [
    [0, 0.04, 0.08, 0.5, 0.501, 7.25], [3.125, 3.2, 4], [-0.08, 0, 0.04, 0.1],
    [90_000.5, 90_001],
  ])
  func timesMayBeAnyThatRise(_ times: [Double]) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      try write(url, times.indices.map { picture($0) }, times: times)
      let found = try read(url).frames.map(\.time)
      try #require(found.count == times.count)
      // Read again, time begins with the first picture.
      for (time, expected) in zip(found, times) {
        #expect(abs(time - (expected - times[0])) < 2e-5, "\(found)")
      }
    }
  }

  @Test func timesThatMakeNoSenseAreMended() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      let times: [Double?] = [.nan, 0.5, 0.25, .infinity, 1e300, -1e300, nil]
      try write(url, times.indices.map { picture($0) }, times: times)
      let found = try read(url).frames.map(\.time)
      #expect(found.count == 7)
      #expect(zip(found, found.dropFirst()).allSatisfy { $0 < $1 })
      #expect(found[0] == 0 && found[1] == 0.5 && (found.last ?? 9) < 1)
    }
  }

  @Test(arguments: [(1, 1), (15, 9), (17, 30), (64, 49), (333, 241)])
  func oddSizesGetOnePixelMore(_ width: Int, _ height: Int) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      let pictures = (0..<3).map { picture($0, width: width, height: height) }
      try write(url, pictures, times: [nil, nil, nil], width: width, height: height)
      let frames = try read(url).frames
      try #require(frames.count == 3)
      for (frame, original) in zip(frames, pictures) {
        #expect(frame.image.width == width + width % 2)
        #expect(frame.image.height == height + height % 2)
        let inside = frame.image.cropped(x: 0, y: 0, width: width, height: height)
        // Colours are kept for two by two pixels, of which patches this small have few inside.
        #expect(difference(inside, original) < (width < 20 ? 25 : 12))
      }
    }
  }

  @Test func largePicturesKeepTheirColours() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      let original = picture(0, width: 1280, height: 720)
      try write(url, [original], times: [nil], width: 1280, height: 720)
      let frames = try read(url).frames
      try #require(frames.count == 1)
      #expect(difference(frames[0].image, original) < 2)
      for x in [100, 420, 740, 1060] {
        let (a, b) = (frames[0].image[x, 360], original[x, 360])
        for (found, expected) in [(a.red, b.red), (a.green, b.green), (a.blue, b.blue)] {
          #expect(abs(Int(found) - Int(expected)) <= 6, "\(a) \(b)")
        }
      }
    }
  }

  @Test func picturesOfAnotherSizeAreFitted() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      let white = Image(width: 20, height: 48) { $0.update(repeating: 255) }
      try write(url, [picture(0), white, picture(2)], times: [nil, nil, nil])
      let frames = try read(url).frames
      try #require(frames.count == 3)
      #expect(frames[1].image[32, 24].green > 240)
      #expect(frames[1].image[5, 24].green < 16 && frames[1].image[58, 24].green < 16)
    }
  }

  @Test(arguments: ["clip.mp4", "clip.mkv"])
  func withoutH264ThereIsMPEG4(_ name: String) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      let pictures = (0..<20).map { picture($0, width: 63, height: 48) }
      let writer = try VideoWriter(
        url, width: 63, height: 48, frameRate: 24, encoders: ["no-such-encoder", "mpeg4"])
      for (index, picture) in pictures.enumerated() {
        try writer.append(picture, time: 1 + Double(index * index) / 90)
      }
      try writer.finish()
      let (info, frames) = try read(url)
      #expect(info.codec == "mpeg4" && info.width == 64)
      try #require(frames.count == 20)
      for (index, frame) in frames.enumerated() {
        #expect(abs(frame.time - Double(index * index) / 90) < 0.001)
        let inside = frame.image.cropped(x: 0, y: 0, width: 63, height: 48)
        #expect(difference(inside, pictures[index]) < 8)
      }
    }
  }

  @Test func withoutAnyEncoderThereIsAnError() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      do {
        _ = try VideoWriter(
          url, width: 64, height: 48, frameRate: 24, encoders: ["no-such-encoder"])
        Issue.record("there is no such encoder")
      } catch let error as MediaError {
        #expect(error.description.contains("no encoder for H.264 or MPEG-4"))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func theIndexComesFirst() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      try write(url, (0..<10).map { picture($0) }, times: [Double?](repeating: nil, count: 10))
      let data = try Data(contentsOf: url)
      let index = try #require(data.range(of: Data("moov".utf8)))
      let content = try #require(data.range(of: Data("mdat".utf8)))
      #expect(index.lowerBound < content.lowerBound)
    }
  }

  @Test func aFileOfThatNameIsReplacedAtTheEndOnly() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("clip.mp4")
      try Data("before".utf8).write(to: url)
      do {
        let writer = try VideoWriter(url, width: 64, height: 48, frameRate: 25)
        try writer.append(picture(0))
        #expect(try Data(contentsOf: url) == Data("before".utf8))
      }
      // Dropped unfinished, it leaves everything as it was.
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["clip.mp4"])
      #expect(try Data(contentsOf: url) == Data("before".utf8))
      try write(url, [picture(0)], times: [nil])
      #expect(try read(url).frames.count == 1)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["clip.mp4"])
    }
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    func refusal(_ path: String, width: Int = 64) -> String {
      do {
        let url = URL(fileURLWithPath: path)
        let writer = try VideoWriter(url, width: width, height: 48, frameRate: 25)
        try writer.finish()
        return ""
      } catch {
        return error.description
      }
    }
    try Paths.withTemporaryFolder { folder in
      #expect(refusal("\(folder.path)/a.avi").contains("a name that ends in .mp4"))
      #expect(refusal("\(folder.path)/no/a.mp4").contains("No such file or directory"))
      #expect(refusal("\(folder.path)/a.mp4", width: 20_000).contains("too large"))
      #expect(refusal("\(folder.path)/a.mp4").contains("no picture"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      let taken = folder.appendingPathComponent("b.mp4")
      try FileManager.default.createDirectory(at: taken, withIntermediateDirectories: false)
      #expect(throws: MediaError.self) { try write(taken, [picture(0)], times: [nil]) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["b.mp4"])
    }
  }

  @Test(arguments: ["a%05d.mp4", "http:x.mp4", "a?b#c.mp4", "ünï 漢.mkv"])
  func aFileNameIsNeverAnAddressOrAPattern(_ name: String) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      try write(url, [picture(0), picture(1)], times: [nil, nil])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
      #expect(try read(url).frames.count == 2)
    }
  }
}
