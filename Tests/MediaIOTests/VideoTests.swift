import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

@Suite struct VideoTests {
  @Test(arguments: Expected.all.videos)
  func framesAreThoseOfPyAV(_ expected: Expected.Clip) throws {
    let video = try Video(Paths.fixture("media/\(expected.file)"))
    #expect(video.info.width == expected.width && video.info.height == expected.height)
    #expect(video.info.rotation == expected.rotation)
    #expect(video.info.codec == expected.codec)
    #expect(video.info.containerFrames == expected.containerFrames)
    #expect(video.info.hasAudio == expected.audio)

    var frames: [VideoFrame] = []
    let summary = try video.forEachFrame { frames.append($0) }
    #expect(summary.decodedFrames == expected.frames)
    #expect(frames.map(\.index) == Array(0..<expected.frames))
    #expect(!summary.isTruncated)
    // One promises 40 s; its index names the frames that are there.
    #expect(summary.warnings.isEmpty == (expected.file != "wrong-count.avi"))
    for (frame, time) in zip(frames, expected.times) {
      // Raw streams have no timestamps; then the frame rate tells.
      let time = time ?? Double(frame.index) / (video.info.frameRate ?? 25)
      #expect(abs(frame.time - time) < 0.001, "frame \(frame.index)")
    }
    for sample in expected.samples {
      let image = try #require(frames.first { $0.index == sample.index }).image
      #expect(image.width == sample.width && image.height == sample.height)
      expectColours(cells(image), sample.cells, levels: expected.levels, "frame \(sample.index)")
    }
  }

  @Test(arguments: Expected.all.videos)
  func evenlySpacedFramesAreTheSameFrames(_ expected: Expected.Clip) throws {
    let video = try Video(Paths.fixture("media/\(expected.file)"))
    var all: [VideoFrame] = []
    try video.forEachFrame { all.append($0) }
    for count in [1, 2, 5, 1000] {
      var frames: [VideoFrame] = []
      let summary = try video.evenlySpacedFrames(count) { frames.append($0) }
      #expect(summary.decodedFrames == expected.frames)
      #expect(frames.map(\.index) == EvenSpread.indices(count, of: expected.frames))
      for frame in frames {
        #expect(frame.time == all[frame.index].time)
        #expect(frame.image == all[frame.index].image)
      }
    }
  }

  @Test(arguments: ["plain.mp4", "mpeg4.avi", "odd.webm", "mpeg2.mpg"])
  func threadsChangeNothing(_ name: String) throws {
    var video = try Video(Paths.fixture("media/\(name)"))
    video.threadCount = 1
    var one: [Image] = []
    try video.evenlySpacedFrames(7) { one.append($0.image) }
    video.threadCount = 4
    var four: [Image] = []
    try video.evenlySpacedFrames(7) { four.append($0.image) }
    #expect(one == four)
  }

  @Test func framesTooLargeToKeepAreDecodedTwice() throws {
    var video = try Video(Paths.fixture("media/plain.mp4"))
    var kept: [VideoFrame] = []
    try video.evenlySpacedFrames(5) { kept.append($0) }
    video.keptBytesLimit = 3 * 64 * 48
    var streamed: [VideoFrame] = []
    let summary = try video.evenlySpacedFrames(5) { streamed.append($0) }
    #expect(summary.decodedFrames == 15)
    #expect(kept.map(\.index) == streamed.map(\.index))
    #expect(kept.map(\.image) == streamed.map(\.image))
  }

  @Test func everyFrameOfAStride() throws {
    var indices: [Int] = []
    try Video(Paths.fixture("media/plain.mp4")).forEachFrame(stride: 4) { indices.append($0.index) }
    #expect(indices == [0, 4, 8, 12])
  }

  @Test func evenSpreadRoundsHalfToEven() {
    #expect(EvenSpread.indices(3, of: 4) == [0, 2, 3])
    #expect(EvenSpread.indices(3, of: 6) == [0, 2, 5])
    #expect(EvenSpread.indices(5, of: 300) == [0, 75, 150, 224, 299])
    #expect(EvenSpread.indices(1, of: 9) == [0])
    #expect(EvenSpread.indices(4, of: 4) == [0, 1, 2, 3])
    #expect(EvenSpread.indices(25, of: 3) == [0, 1, 2])
    #expect(EvenSpread.indices(25, of: 0) == [])
    #expect(EvenSpread.indices(3, of: .max) == [0, (.max - 1) / 2 + 0, .max - 1])
    for total in 2..<400 {
      let indices = EvenSpread.indices(25, of: total)
      #expect(zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 })
      #expect(indices.last == total - 1 && indices.count == min(25, total))
    }
  }

  @Test func theBodysErrorComesThrough() throws {
    struct Enough: Error {}
    let video = try Video(Paths.fixture("media/plain.mp4"))
    var seen = 0
    #expect(throws: Enough.self) {
      try video.evenlySpacedFrames(5) { _ in
        seen += 1
        if seen == 2 { throw Enough() }
      }
    }
    #expect(seen == 2)
  }

  @Test func aCancelledTaskStops() async throws {
    let video = try Video(Paths.fixture("media/plain.mp4"))
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try video.evenlySpacedFrames(5) { _ in }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test(arguments: ["sound-only.m4a", "cover.mp3"])
  func soundAloneIsRefused(_ name: String) {
    let error = #expect(throws: MediaError.self) { try Video(Paths.fixture("media/\(name)")) }
    #expect(error?.description.contains("has no video: only audio") == true)
  }

  @Test func otherFilesAreRefusedInWords() throws {
    func refusal(_ url: URL) -> String {
      do {
        _ = try Video(url)
        return ""
      } catch {
        return error.description
      }
    }
    let address = try #require(URL(string: "https://example.org/x.mp4"))
    #expect(refusal(address) == "\(address): cannot be read: only local files can be read")
    #expect(refusal(URL(fileURLWithPath: "/nowhere/x.mp4")).contains("cannot be read"))
    #expect(refusal(URL(fileURLWithPath: "/dev/zero")).contains("not a regular file"))
    #expect(refusal(Paths.fixture("media/rgb8.png")).contains("not a video file"))
    #expect(refusal(Paths.fixture("make_media.py")).contains("not a video file"))
    try Paths.withTemporaryFolder { folder in
      func refusalOf(_ content: Data, named name: String) throws -> String {
        let url = folder.appendingPathComponent(name)
        try content.write(to: url)
        return refusal(url)
      }
      #expect(try refusalOf(Data(), named: "empty.mp4").contains("it is empty"))
      // Playlists would open other files and addresses.
      let list = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nplain.mp4\n"
      #expect(try refusalOf(Data(list.utf8), named: "list.m3u8").contains("not a video file"))
      let concat = "ffconcat version 1.0\nfile \(Paths.fixture("media/plain.mp4").path)\n"
      #expect(try refusalOf(Data(concat.utf8), named: "list.ffconcat").contains("not a video file"))
      // The index stands at the end.
      let whole = try Data(contentsOf: Paths.fixture("media/plain.mp4"))
      #expect(try refusalOf(whole.prefix(2000), named: "cut.mp4").contains("(moov) is missing"))
    }
  }

  @Test func aFileNameIsNeverAnAddressOrAPattern() throws {
    try Paths.withTemporaryFolder { folder in
      for name in ["http:%2F%2Fx.mp4", "concat:a|b.mp4", "frame-%03d.mp4", "a?b#c.mp4"] {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.copyItem(at: Paths.fixture("media/plain.mp4"), to: url)
        #expect(try Video(url).evenlySpacedFrames(2) { _ in }.decodedFrames == 15)
      }
    }
  }

  @Test(arguments: [
    "stream.ts", "variable-rate.mkv", "mpeg4.avi", "vp8.webm", "sound.mp4",
  ])
  func whatDecodesOfACutOffFileIsUsed(_ name: String) throws {
    let data = try Data(contentsOf: Paths.fixture("media/\(name)"))
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      try data.write(to: url)
      let whole = try Video(url).evenlySpacedFrames(3) { _ in }
      #expect(whole.isIntact)
      // An AVI's headers take up most of so small a file.
      try data.prefix(data.count * (name.hasSuffix("avi") ? 90 : 70) / 100).write(to: url)
      var frames: [VideoFrame] = []
      let summary = try Video(url).evenlySpacedFrames(3) { frames.append($0) }
      #expect(summary.decodedFrames > 0 && summary.decodedFrames < whole.decodedFrames)
      #expect(frames.map(\.index) == EvenSpread.indices(3, of: summary.decodedFrames))
      // A transport stream may end anywhere.
      #expect(summary.isTruncated || name.hasSuffix("ts"), "\(summary)")
      #expect(summary.warnings.isEmpty == !summary.isTruncated)
    }
  }

  @Test func noFramesAreReportedAsSuch() throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("start.h264")
      // The parameter sets, and no picture.
      let data = try Data(contentsOf: Paths.fixture("media/raw.h264"))
      let picture = try #require(data.range(of: Data([0, 0, 1, 0x65])))
      try data.prefix(picture.lowerBound).write(to: url)
      #expect(throws: MediaError.self) { try Video(url).evenlySpacedFrames(3) { _ in } }
    }
  }

  /// Mean colours of 4 x 3 cells, row by row.
  private func cells(_ image: Image) -> [[Float]] {
    let (w, h) = (image.width, image.height)
    return (0..<12).map { cell in
      let (i, j) = (cell % 4, cell / 4)
      return image.meanColour(
        x: w * i / 4..<w * (i + 1) / 4, y: h * j / 3..<h * (j + 1) / 3)
    }
  }
}
