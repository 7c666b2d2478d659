import Foundation

/// The choice of a later frame for each frame, by time and not by number: videos of 25 and of 60
/// frames per second show the same motion.
package enum LaterFrames {
  /// A frame and a later one, by their indices in presentation order.
  package struct Pair: Sendable, Equatable {
    package var frame: Int
    /// Nil if the video ends too early.
    package var later: Int?

    package init(frame: Int, later: Int?) {
      self.frame = frame
      self.later = later
    }
  }

  /// Times that differ by less than this, in seconds, count as equal: containers round to a
  /// millisecond.
  private static let precision = 1e-3

  /// The frame whose time is nearest to that of frame `index` plus `difference`, at least one frame
  /// later; of two equally near ones, the first. Nil if the video ends more than half a frame
  /// before that time.
  ///
  /// - Parameter times: The times of all frames in seconds, ascending.
  package static func later(
    of index: Int, in times: [Double], by difference: Double
  ) -> Int? {
    let last = times.count - 1
    guard index < last else { return nil }
    let wanted = times[index] + difference
    let step = (times[last] - times[0]) / Double(last)
    guard times[last] >= wanted - step / 2 - precision else { return nil }
    // The first frame at or after the wanted time, by bisection.
    var (low, high) = (index + 1, last)
    while low < high {
      let middle = (low + high) / 2
      if times[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    let isNearer = { (first: Int, second: Int) in
      abs(times[first] - wanted) <= abs(times[second] - wanted) + precision
    }
    return low - 1 > index && isNearer(low - 1, low) ? low - 1 : low
  }

  /// Up to `count` frames that are evenly spread over those with a later frame, so that none is
  /// judged without motion at the end of the video. If less than half of the frames have a later
  /// one, they are spread over all frames, and some have none.
  package static func pairs(
    _ count: Int, in times: [Double], by difference: Double
  ) -> [Pair] {
    let all = times.indices.map { Pair(frame: $0, later: later(of: $0, in: times, by: difference)) }
    let moving = all.filter { $0.later != nil }
    let chosen = 2 * moving.count >= all.count ? moving : all
    return EvenSpread.indices(count, of: chosen.count).map { chosen[$0] }
  }
}

extension Video {
  /// Decodes the video and calls `body` with up to `count` evenly spread frames, each with the
  /// frame that is nearest to `difference` seconds later (`LaterFrames.pairs`), in order.
  ///
  /// Both come from one pass, as for `evenlySpacedFrames`. If the stream has no timestamps, the
  /// times follow from its frame rate, or 25 frames per second if that is unknown.
  ///
  /// - Returns: The number of frames in the video, and whether anything was damaged or missing.
  /// - Throws: `MediaError`, errors of `body`, or `CancellationError` in a cancelled task.
  @discardableResult
  package func evenlySpacedFrames(
    _ count: Int, withLaterBy difference: Double,
    _ body: (VideoFrame, _ later: VideoFrame?) throws -> Void
  ) throws -> DecodeSummary {
    precondition(count > 0, "Video: \(count) frames asked for")
    precondition(difference > 0, "Video: \(difference) seconds later")
    let collector = PairCollector()
    let rate = info.frameRate ?? 25
    return try frames(needsTimes: true) { total, times in
      collector.begin(
        LaterFrames.pairs(
          count, in: times ?? (0..<total).map { Double($0) / rate }, by: difference))
    } _: { frame in
      try collector.add(frame, body)
    }
  }
}

/// Collects decoded frames until both frames of a pair are there.
private final class PairCollector {
  private var pairs: ArraySlice<LaterFrames.Pair> = []
  private var frames: [Int: VideoFrame] = [:]

  /// Starts anew with these pairs. Returns the indices of all frames in them, ascending.
  func begin(_ pairs: [LaterFrames.Pair]) -> [Int] {
    self.pairs = pairs[...]
    frames = [:]
    return Set(pairs.flatMap { [$0.frame, $0.later].compactMap { $0 } }).sorted()
  }

  /// Adds the next frame, and calls `body` with the pairs that are now complete.
  func add(_ frame: VideoFrame, _ body: (VideoFrame, VideoFrame?) throws -> Void) throws {
    frames[frame.index] = frame
    while let pair = pairs.first, let first = frames[pair.frame] {
      let later = pair.later.flatMap { frames[$0] }
      guard later != nil || pair.later == nil else { return }
      pairs.removeFirst()
      let needed = pairs.first?.frame ?? .max
      frames = frames.filter { $0.key >= needed }
      try body(first, later)
    }
  }
}
