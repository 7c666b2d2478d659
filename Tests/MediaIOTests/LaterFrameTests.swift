import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing

/// A later frame for each frame, chosen by time.
@Suite struct LaterFrameTests {
  /// The times of `count` frames at a rate.
  private func times(_ count: Int, rate: Double) -> [Double] {
    (0..<count).map { Double($0) / rate }
  }

  @Test func theNearestLaterFrameIsChosen() {
    // 0.2 seconds are 5 frames at 25, 6 at 30 and 12 at 60 frames per second.
    for (rate, step) in [(25.0, 5), (30, 6), (60, 12)] {
      let times = times(100, rate: rate)
      #expect(LaterFrames.later(of: 10, in: times, by: 0.2) == 10 + step, "\(rate)")
    }
    // At least one frame, however far it is.
    #expect(LaterFrames.later(of: 3, in: times(10, rate: 2), by: 0.04) == 4)
    // Between 1 / 30 and 2 / 30.
    #expect(LaterFrames.later(of: 0, in: times(10, rate: 30), by: 0.04) == 1)
    #expect(LaterFrames.later(of: 0, in: times(10, rate: 30), by: 0.06) == 2)
    // Of two that are equally near, the first, even if rounding says otherwise.
    for index in 0..<20 {
      #expect(LaterFrames.later(of: index, in: times(40, rate: 25), by: 0.06) == index + 1)
    }
    // Unequal steps.
    let uneven = [0, 0.1, 0.15, 0.4, 0.41, 0.42, 1.5]
    #expect(LaterFrames.later(of: 0, in: uneven, by: 0.3) == 3)
    #expect(LaterFrames.later(of: 1, in: uneven, by: 0.3) == 3)
    #expect(LaterFrames.later(of: 2, in: uneven, by: 0.26) == 4)
    #expect(LaterFrames.later(of: 6, in: uneven, by: 0.3) == nil)
  }

  @Test func framesWithoutALaterOneAreLeftOut() {
    let times = times(50, rate: 25)
    // The last five frames have none at 0.2 seconds.
    #expect(LaterFrames.later(of: 44, in: times, by: 0.2) == 49)
    #expect(LaterFrames.later(of: 45, in: times, by: 0.2) == nil)
    let pairs = LaterFrames.pairs(5, in: times, by: 0.2)
    #expect(pairs.map(\.frame) == [0, 11, 22, 33, 44])
    #expect(pairs.map(\.later) == [5, 16, 27, 38, 49])
    // At 60 frames per second, 0.04 seconds are nearest to two frames; the last has none.
    let fast = LaterFrames.pairs(1000, in: self.times(10, rate: 60), by: 0.04)
    #expect(fast.count == 8 && fast.allSatisfy { $0.later == $0.frame + 2 })
    // A short video is judged whole, mostly without motion.
    let short = LaterFrames.pairs(4, in: self.times(4, rate: 25), by: 0.13)
    #expect(short.map(\.frame) == [0, 1, 2, 3] && short.map(\.later) == [3, nil, nil, nil])
    #expect(LaterFrames.pairs(5, in: [0], by: 0.04) == [.init(frame: 0, later: nil)])
    #expect(LaterFrames.pairs(5, in: [], by: 0.04).isEmpty)
  }

  /// A bright square that moves to the right at 80 pixels per second.
  private func frame(at time: Double) -> Image {
    var image = Image(width: 160, height: 48) { $0.update(repeating: 20) }
    image.fillRectangle(
      x: 8 + Int((80 * time).rounded()), y: 12, width: 24, height: 24, color: .white)
    return image
  }

  /// The middle of what is bright, from the left.
  private func place(_ image: Image) -> Double {
    let bright = (0..<image.width).filter { image[$0, 24].green > 128 }
    return Double(bright.reduce(0, +)) / Double(max(1, bright.count))
  }

  @Test(arguments: [25.0, 50, 60])
  func videosOfAnyRateShowTheSameMotion(_ rate: Double) throws {
    try Paths.withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("moving.mp4")
      let writer = try VideoWriter(url, width: 160, height: 48, frameRate: rate)
      for index in 0..<Int(rate * 1.4) { try writer.append(frame(at: Double(index) / rate)) }
      try writer.finish()
      var shifts: [Double] = []
      var gaps: [Double] = []
      try Video(url).evenlySpacedFrames(6, withLaterBy: 0.2) { first, later in
        let later = try #require(later)
        shifts.append(place(later.image) - place(first.image))
        gaps.append(later.time - first.time)
      }
      #expect(shifts.count == 6)
      // 80 pixels per second for 0.2 seconds, with both places rounded.
      #expect(shifts.allSatisfy { abs($0 - 16) <= 1 }, "\(shifts)")
      #expect(gaps.allSatisfy { abs($0 - 0.2) < 1e-3 }, "\(gaps)")
    }
  }

  /// Formats that are decoded by a plan, in full, with unequal times and without any.
  @Test(arguments: [
    "plain.mp4", "stream.ts", "variable-rate.mkv", "odd.webm", "mpeg4.avi", "raw.h264",
  ])
  func bothFramesAreThoseOfTheWholeVideo(_ name: String) throws {
    let video = try Video(Paths.fixture("media/\(name)"))
    var all: [VideoFrame] = []
    try video.forEachFrame { all.append($0) }
    let times = all.map(\.time)
    for difference in [0.04, 0.1, 0.3] {
      let expected = LaterFrames.pairs(4, in: times, by: difference)
      var found: [LaterFrames.Pair] = []
      let summary = try video.evenlySpacedFrames(4, withLaterBy: difference) { first, later in
        found.append(.init(frame: first.index, later: later?.index))
        #expect(first.image == all[first.index].image)
        #expect(later.map { $0.image == all[$0.index].image } ?? true)
      }
      #expect(found == expected, "\(name) \(difference)")
      #expect(summary.decodedFrames == all.count)
    }
    // Nothing is kept in memory where the frames are too large for it.
    var small = video
    small.keptBytesLimit = 1
    var found: [Int?] = []
    try small.evenlySpacedFrames(4, withLaterBy: 0.1) { found.append($1?.index) }
    #expect(found == LaterFrames.pairs(4, in: times, by: 0.1).map(\.later))
  }
}
