import CFFmpeg
import CMediaShims
import Foundation

/// One pass through a video, from its first packet to its last.
final class DecodePass {
  private let file: String
  private let info: VideoInfo
  private let demuxer: Demuxer
  private let decoder: Decoder
  private let frame: DecodedFrame
  private let orientation: Orientation?
  private var readPackets = 0
  private var lastTime: Double?
  /// The decoding times of packets whose frames have not been decoded yet. They are used only if no
  /// packet has a presentation time; nil otherwise.
  private var waiting: [Int64]? = []
  private let isCancelled: @Sendable () -> Bool
  private(set) var summary = DecodeSummary()

  /// The maximum number of packets whose frames a decoder holds back: 16 for reordering and 16 for
  /// its threads.
  private static let longestWait = 32

  /// The number of consecutive failures without a frame after which flushing the decoder ends.
  private static let flushFailureLimit = 256

  init(_ video: Video) throws(MediaError) {
    let url = video.url
    file = url.relativePath
    info = video.info
    isCancelled = video.isCancelled
    demuxer = try Demuxer(url)
    decoder = try Decoder(demuxer, threadCount: video.threadCount)
    frame = try DecodedFrame(file: file)
    orientation = demuxer.orientation
  }

  /// A decoded frame before its conversion to RGB.
  struct Arrival {
    var index: Int
    var time: Double
    var shape: PixelAspectRatio
    var orientation: Orientation
    /// The frame; the receiver may move its content out.
    var frame: DecodedFrame
  }

  /// Decodes the whole video, or the packets that `plan` needs, and calls `body` with every decoded
  /// frame in presentation order. It can run only once.
  ///
  /// With a plan, only some frames are decoded, so their indices have no meaning.
  func run(_ plan: DecodePlan? = nil, _ body: (Arrival) throws -> Void) throws {
    let packet = try Packet(file: file)
    var leavesOut = false
    var doubted: Int?
    while demuxer.read(packet) {
      if isCancelled() { throw CancellationError() }
      let step = plan.map { readPackets < $0.steps.count ? $0.steps[readPackets] : .decode }
      readPackets += 1
      if step == .omit { leavesOut = true }
      if step == .omit || step == .skip { continue }
      if leavesOut {
        // The next packet can be decoded without earlier ones, so all earlier frames must come out
        // first.
        leavesOut = false
        try finish(body)
        decoder.restart()
      }
      // If two streams were joined, FFmpeg marks packets on both sides as corrupt. Only decoding
      // shows whether they are.
      if demuxer.hasJumped, let last = doubted, readPackets - last <= 2 {
        summary.damagedPackets -= 1
        doubted = nil
      }
      let isDoubted = packet.pointer.pointee.flags & AV_PKT_FLAG_CORRUPT != 0
      if isDoubted, !demuxer.hasJumped {
        summary.damagedPackets += 1
        doubted = readPackets
      }
      note(packet)
      var sent = decoder.send(packet)
      if sent == .full {
        _ = try drain(body)
        sent = decoder.send(packet)
      }
      let failed = try drain(body) == .failed
      if sent != .taken || failed {
        _ = waiting?.popLast()
        // A packet that was marked as corrupt is already counted.
        if doubted != readPackets { summary.damagedPackets += 1 }
        doubted = nil
      }
    }
    try finish(body)
    sumUp()
  }

  /// Delivers the frames that the decoder still holds.
  private func finish(_ body: (Arrival) throws -> Void) throws {
    _ = decoder.send(nil)
    var failures = 0
    while failures < DecodePass.flushFailureLimit {
      let before = summary.decodedFrames
      guard try drain(body) == .failed else { break }
      failures = summary.decodedFrames > before ? 0 : failures + 1
      summary.damagedPackets += 1
    }
  }

  /// Delivers all frames that the decoder has ready, and returns the reason why it stopped.
  private func drain(_ body: (Arrival) throws -> Void) throws -> Decoder.Received {
    while true {
      let received = decoder.receive(frame)
      guard received == .frame else { return received }
      if df_av_frame_is_damaged(frame.pointer) != 0 { summary.damagedFrames += 1 }
      let time = time()
      lastTime = max(time, lastTime ?? time)
      let arrival = Arrival(
        index: summary.decodedFrames, time: time, shape: demuxer.pixelShape(of: frame),
        orientation: orientation ?? frameOrientation, frame: frame)
      summary.decodedFrames += 1
      try body(arrival)
    }
  }

  /// The orientation stored in the frame. The container's orientation has priority.
  private var frameOrientation: Orientation {
    var matrix = [Int32](repeating: 0, count: 9)
    guard df_av_frame_display_matrix(frame.pointer, &matrix) != 0 else { return .upright }
    return Orientation(displayMatrix: matrix)
  }

  private func time() -> Double {
    let none = df_av_no_time()
    let stamp = frame.pointer.pointee.pts
    if stamp != none { return demuxer.seconds(stamp) }
    // Frames are shown in the order of these times, whichever packet a time belongs to.
    if let first = waiting?.first {
      waiting?.removeFirst()
      return demuxer.seconds(first)
    }
    let guess = frame.pointer.pointee.best_effort_timestamp
    if guess != none { return demuxer.seconds(guess) }
    let step = info.frameRate.map { 1 / $0 } ?? 0
    return lastTime.map { $0 + step } ?? 0
  }

  /// Records the decoding time of a packet before it is decoded.
  private func note(_ packet: Packet) {
    let none = df_av_no_time()
    let stamps = packet.pointer.pointee
    if stamps.pts != none { waiting = nil }
    guard let count = waiting?.count, stamps.dts != none else { return }
    waiting?.append(stamps.dts)
    if count >= Self.longestWait { waiting?.removeFirst() }
  }

  private func sumUp() {
    if let problem = demuxer.readingProblem {
      summary.isTruncated = true
      summary.warnings.append("reading stopped early: \(problem)")
    }
    if let promised = info.containerFrames, readPackets < promised {
      summary.isTruncated = true
      summary.warnings.append(
        "the container states \(promised) frames but contains \(readPackets)")
    }
    // Some containers measure the duration from a player's zero, others from the zero of their
    // clock.
    if demuxer.statesDuration, let end = info.duration, let last = lastTime,
      max(last, last - demuxer.seconds(0)) < end * 0.9 - 1, !summary.isTruncated
    {
      summary.warnings.append(
        "the container states \(seconds(end)) s but its last frame is at \(seconds(last)) s")
    }
    if summary.damagedPackets > 0 {
      let packets = summary.damagedPackets == 1 ? "packet" : "packets"
      summary.warnings.append("\(summary.damagedPackets) \(packets) could not be decoded")
    }
    if summary.damagedFrames > 0 {
      let frames = summary.damagedFrames == 1 ? "frame is" : "frames are"
      summary.warnings.append("\(summary.damagedFrames) \(frames) partly damaged")
    }
  }

  private func seconds(_ value: Double) -> String { String(format: "%.1f", value) }
}
