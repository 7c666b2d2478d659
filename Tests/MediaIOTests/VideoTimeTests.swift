import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Times are those of a player, whatever a container's clock shows.
@Suite struct VideoTimeTests {
  private struct Found {
    var times: [Double] = []
    var warnings: [String] = []
    var info: VideoInfo
    var summary: DecodeSummary
  }

  private func read(_ data: Data, named name: String) throws -> Found {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent(name)
      try data.write(to: url)
      let video = try Video(url)
      var times: [Double] = []
      let summary = try video.forEachFrame { times.append($0.time) }
      // The frames that are picked have the same times.
      try video.evenlySpacedFrames(4) { #expect($0.time == times[$0.index]) }
      return Found(
        times: times, warnings: video.info.warnings + summary.warnings, info: video.info,
        summary: summary)
    }
  }

  /// Whether frames of 25 a second begin at zero and follow each other.
  private func run(_ times: [Double], count: Int) -> Bool {
    times.count == count
      && times.enumerated().allSatisfy { abs($0.element - Double($0.offset) * 0.04) < 0.001 }
  }

  private func stream() throws -> Data { try Data(contentsOf: Paths.fixture("media/stream.ts")) }

  @Test(arguments: [0, 40_000 * 90_000, (1 << 33) - 30_000, (1 << 33) - 7_000])
  func aBroadcastBeginsAtZero(_ ticks: Int) throws {
    // In the last two, the counter of 33 bits starts anew.
    let found = try read(
      MediaBytes.transportStream(stream(), laterBy: ticks), named: "broadcast.ts")
    #expect(run(found.times, count: 15), "\(found.times)")
    #expect(found.warnings.isEmpty)
  }

  @Test(arguments: [0, 20 * 90_000, 40_000 * 90_000])
  func joinedStreamsRunOn(_ ticks: Int) throws {
    let later = try MediaBytes.transportStream(stream(), laterBy: ticks)
    for data in [try stream() + later, later + (try stream())] {
      let found = try read(data, named: "joined.ts")
      #expect(run(found.times, count: 30), "\(found.times)")
      #expect(found.warnings.isEmpty)
    }
  }

  /// Each picture is followed by an empty chunk, as FFmpeg stores H.264 in AVI.
  @Test func emptyChunksOfAnAVIAreNoMissingFrames() throws {
    let pictures = try (0..<6).map { number in
      try ImageFile.encode(
        Image(width: 32, height: 16, pixels: [UInt8](repeating: UInt8(number * 30), count: 1536)),
        as: .jpeg(quality: 90))
    }
    let whole = MediaBytes.avi(
      pictures.flatMap { [$0, nil] }, width: 32, height: 16, rate: 50)
    let found = try read(whole, named: "empty.avi")
    #expect(run(found.times, count: 6), "\(found.times)")
    #expect(found.warnings.isEmpty && found.summary.isIntact)
    #expect(found.info.containerFrames == 6)
    // Without its end, there is something missing.
    let cut = try read(whole.prefix(whole.count * 2 / 3), named: "cut.avi")
    #expect(cut.summary.isTruncated && !cut.warnings.isEmpty && cut.times.count < 6)
  }

  /// An edit list may leave out frames that the index names.
  @Test func framesThatAreCutOutAreNotMissing() throws {
    var data = try Data(contentsOf: Paths.fixture("media/plain.mp4"))
    let list = try #require(data.range(of: Data("elst".utf8)))
    // Version and flags, the number of edits, the first edit's duration in units of the film's.
    let place = list.upperBound + 8
    let duration = data[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    data.replaceSubrange(place..<place + 4, with: MediaBytes.bigEndian(duration / 3, 4))
    let found = try read(data, named: "edited.mp4")
    #expect(found.times.count < 15 && run(found.times, count: found.times.count))
    #expect(found.warnings.isEmpty && found.summary.isIntact, "\(found.warnings)")
  }
}
