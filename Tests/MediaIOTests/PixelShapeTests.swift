import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Frames whose pixels are not square are shown as players show them.
@Suite struct PixelShapeTests {
  private func read(
    _ data: Data, named name: String, count: Int = 15
  ) throws -> (VideoInfo, [VideoFrame]) {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      try data.write(to: url)
      let video = try Video(url)
      var frames: [VideoFrame] = []
      let summary = try video.forEachFrame { frames.append($0) }
      #expect(summary.isIntact && frames.count == count)
      // The frames that are picked are converted elsewhere.
      try video.evenlySpacedFrames(3) { #expect($0.image == frames[$0.index].image) }
      return (video.info, frames)
    }
  }

  private func plain() throws -> Data { try Data(contentsOf: Paths.fixture("media/plain.mp4")) }

  /// Mean colours of a 4 x 3 grid.
  private func cells(_ image: Image) -> [[Float]] {
    (0..<12).map { cell in
      let (i, j) = (cell % 4, cell / 4)
      return image.meanColour(
        x: image.width * i / 4..<image.width * (i + 1) / 4,
        y: image.height * j / 3..<image.height * (j + 1) / 3)
    }
  }

  @Test(arguments: [
    (2, 1, 128, 48), (1, 2, 64, 96), (64, 45, 91, 48), (45, 64, 64, 68), (10, 1, 640, 48),
    (1000, 999, 64, 48), (200, 200, 64, 48),
  ])
  func theShortSideIsStretched(_ pixel: (Int, Int, width: Int, height: Int)) throws {
    let stored = try read(plain(), named: "plain.mp4").1
    let data = try #require(MediaBytes.mp4(plain(), pixels: pixel.0, pixel.1))
    let (info, frames) = try read(data, named: "shaped.mp4")
    #expect(info.width == pixel.width && info.height == pixel.height)
    #expect(info.warnings.isEmpty)
    for (frame, square) in zip(frames, stored) {
      #expect(frame.image.width == pixel.width && frame.image.height == pixel.height)
      expectColours(cells(frame.image), cells(square.image), levels: 8, "frame \(frame.index)")
    }
  }

  @Test func theyAreStretchedBeforeTheyAreTurned() throws {
    let wide = try #require(MediaBytes.mp4(plain(), pixels: 2, 1))
    let turned = try #require(MediaBytes.mp4Turned(wide))
    let (info, frames) = try read(turned, named: "turned.mp4")
    #expect(info.width == 48 && info.height == 128 && info.rotation == 90)
    for (frame, upright) in zip(frames, try read(wide, named: "wide.mp4").1) {
      #expect(frame.image == Orientation.rotated90.applied(to: upright.image))
    }
  }

  @Test(arguments: [
    (0, 1), (1, 0), (-2, 1), (1, 1000), (11, 1), (Int(Int32.max), 1), (1, Int(Int32.max)),
  ])
  func whatNoPixelIsIsNotFollowed(_ pixel: (Int, Int)) throws {
    let data = try #require(MediaBytes.mp4(plain(), pixels: pixel.0, pixel.1))
    let (info, frames) = try read(data, named: "odd.mp4")
    #expect(info.width == 64 && info.height == 48)
    #expect(frames.allSatisfy { $0.image.width == 64 && $0.image.height == 48 })
    #expect(info.warnings.allSatisfy { $0.contains("square pixels are assumed") })
  }

  /// MPEG-2 states the frame's shape at each key frame: here 16:9, from the second on 4:3.
  @Test func theShapeMayChangeInMidStream() throws {
    var data = try Data(contentsOf: Paths.fixture("media/mpeg2.mpg"))
    let mark = Data([0, 0, 1, 0xB3])
    var places: [Int] = []
    var rest = data.startIndex
    while let found = data.range(of: mark, in: rest..<data.endIndex) {
      places.append(found.upperBound + 3)
      rest = found.upperBound
    }
    try #require(places.count > 1)
    for (number, place) in places.enumerated() {
      data[place] = data[place] & 0x0F | (number == 0 ? 0x30 : 0x20)
    }
    // FFmpeg begins anew there, and drops the frame that it holds.
    let (info, frames) = try read(data, named: "changing.mpg", count: 14)
    #expect(info.width == 85 && info.height == 48)
    #expect(frames.first?.image.width == 85)
    #expect(frames.last?.image.width == 64)
  }
}
