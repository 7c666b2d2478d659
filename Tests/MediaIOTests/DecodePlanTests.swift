import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// Leaving out packets changes nothing in the frames that are asked for.
@Suite struct DecodePlanTests {
  private func plan(_ name: String, _ indices: [Int]) throws -> DecodePlan? {
    try PacketIndex.read(Video(Paths.fixture("media/\(name)"))).plan(for: indices)
  }

  @Test func packetsAreLeftOutBetweenFramesThatBeginAnew() throws {
    // 15 frames, the ninth begins anew.
    let first = try #require(try plan("plain.mp4", [0]))
    #expect(first.steps.count == 15)
    #expect(first.steps[0] == .decode)
    #expect(first.steps.dropFirst().allSatisfy { $0 == .omit })

    let second = try #require(try plan("plain.mp4", [0, 8]))
    #expect(second.steps.enumerated().filter { $0.element != .omit }.map(\.offset) == [0, 8])
    #expect(second.frames.map(\.index) == [0, 8])

    // Between the ninth and the twelfth there are only frames that others refer to.
    let late = try #require(try plan("plain.mp4", [11]))
    let decoded = late.steps.indices.filter { late.steps[$0] == .decode }
    #expect(decoded == [8, 9, 10, 11])
    #expect(late.steps.filter { $0 == .omit }.count == 11)
  }

  @Test func framesThatNoOtherRefersToArePassedOver() throws {
    // Of the first eight, no other refers to the second and the fifth.
    for name in ["plain.mp4", "stream.ts"] {
      let without = try #require(try plan(name, [7])).steps
      #expect(without.filter { $0 == .decode }.count == 6, "\(name)")
      #expect(without.filter { $0 == .skip }.count == 2, "\(name)")
      #expect(without.filter { $0 == .omit }.count == 7, "\(name)")
      let with = try #require(try plan(name, [4, 7])).steps
      #expect(with.filter { $0 == .decode }.count == 7, "\(name)")
      #expect(with.filter { $0 == .skip }.count == 1, "\(name)")
    }
  }

  @Test func otherKindsAreDecodedInFull() throws {
    for name in ["mpeg4.avi", "mpeg2.mpg", "odd.webm", "motion-jpeg.avi", "raw.h264"] {
      #expect(try plan(name, [0]) == nil, "\(name)")
    }
    #expect(try plan("plain.mp4", Array(0..<15)) == nil, "nothing to leave out")
  }

  @Test func eachFrameAloneIsWhatAllTogetherGive() throws {
    for name in ["plain.mp4", "stream.ts", "variable-rate.mkv", "fragmented.mp4"] {
      let url = Paths.fixture("media/\(name)")
      var all: [Image] = []
      try Video(url).forEachFrame { all.append($0.image) }
      for threads in [1, 2, 3] {
        for count in 1..<all.count {
          var video = try Video(url)
          video.threadCount = threads
          try video.evenlySpacedFrames(count) {
            #expect($0.image == all[$0.index], "\(name), frame \($0.index) of \(count)")
          }
        }
      }
    }
  }

  @Test func damageThatIsSeenMeansDecodingAll() throws {
    var data = try Data(contentsOf: Paths.fixture("media/plain.mp4"))
    let place = try #require(data.range(of: Data("mdat".utf8))).upperBound
    for byte in place + 900..<place + 1000 { data[byte] ^= 0x5A }
    let url = FileManager.default.temporaryDirectory.appending(
      path: "damaged-\(UUID().uuidString).mp4")
    defer { try? FileManager.default.removeItem(at: url) }
    try data.write(to: url)
    var all: [VideoFrame] = []
    let whole = try Video(url).forEachFrame { all.append($0) }
    #expect(!whole.isIntact)
    var frames: [VideoFrame] = []
    let summary = try Video(url).evenlySpacedFrames(14) { frames.append($0) }
    #expect(summary == whole)
    #expect(frames.map(\.index) == EvenSpread.indices(14, of: whole.decodedFrames))
    #expect(frames.allSatisfy { $0.image == all[$0.index].image })
  }

  @Test(.enabled(if: Paths.hasReference))
  func framesOfRealVideosAreTheSame() throws {
    for name in ["lynaeydofd.mp4", "634.mp4"] {
      let url = Paths.reference("videos/\(name)")
      for count in [3, 40] {
        var few: [Int: VideoFrame] = [:]
        let summary = try Video(url).evenlySpacedFrames(count) { few[$0.index] = $0 }
        #expect(few.count == count && summary.isIntact)
        var seen = 0
        try Video(url).forEachFrame { frame in
          guard let other = few[frame.index] else { return }
          seen += 1
          #expect(frame.time == other.time && frame.image == other.image, "\(name) \(frame.index)")
        }
        #expect(seen == count)
      }
    }
  }
}
