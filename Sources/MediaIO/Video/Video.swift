import CFFmpeg
import CMediaShims
import DeepfakeCore
import Foundation

/// A video file, decoded in this process by FFmpeg's libraries.
///
/// The value holds no open file. Each pass through the video opens it again, so one value can serve
/// several tasks at once.
///
/// Colours follow the stream's tags. Video without tags is treated as BT.601 in limited range, as
/// OpenCV and PyAV do. HDR is not tone-mapped. Frames with pixels that are not square are stretched
/// along the short side of the pixels, as in mpv, VLC and browsers. The container's pixel aspect
/// ratio has priority over the stream's.
///
/// ```swift
/// let video = try Video(clip)
/// print(video.info.width, video.info.height, video.info.frameRate ?? 0)
/// let summary = try video.evenlySpacedFrames(25) { frame in
///   print(frame.index, frame.time, frame.image[0, 0])
/// }
/// print(summary.warnings)
/// ```
public struct Video: Sendable {
  /// The file of the video.
  public let url: URL
  /// The information that the file states about its video stream.
  public let info: VideoInfo
  /// The number of threads for decoding, 1 to 16. Results do not depend on it.
  public var threadCount: Int

  /// The maximum size in bytes of the decoded frames that `evenlySpacedFrames` keeps. If the
  /// requested frames are larger, the video is decoded twice instead.
  public var keptBytesLimit = 1 << 30

  /// Whether decoding should stop with a `CancellationError`. By default, whether the current task
  /// is cancelled. A thread outside any task needs its own function.
  public var isCancelled: @Sendable () -> Bool = { Task.isCancelled }

  /// The maximum number of frames that are converted at once.
  private static let convertedTogether = 4

  static let sizeLimit =
    "a frame may have at most \(Decoder.sideLimit) pixels a side and \(Decoder.pixelLimit) in all"

  /// Opens a video and reads its information. It decodes only as much as FFmpeg needs to determine
  /// the format.
  ///
  /// - Throws: `MediaError` if the file cannot be read, is not a video, has no video stream (only
  ///   sound or a cover picture), has frames that are too large, or uses a codec that FFmpeg lacks.
  public init(_ url: URL, threadCount: Int = Parallel.threadCount) throws(MediaError) {
    self.url = url
    self.threadCount = threadCount
    let demuxer = try Demuxer(url)
    info = try Video.info(of: demuxer)
    // Opening the decoder shows whether FFmpeg has one.
    _ = try Decoder(demuxer, threadCount: 1)
  }

  private static func info(of demuxer: Demuxer) throws(MediaError) -> VideoInfo {
    let stream = demuxer.stream.pointee
    guard let parameters = stream.codecpar else {
      throw .damaged(file: demuxer.file, reason: "the video stream has no description")
    }
    let (width, height) = (Int(parameters.pointee.width), Int(parameters.pointee.height))
    guard width > 0, height > 0 else {
      throw .noFrames(file: demuxer.file, reason: "the size of its frames is unknown")
    }
    guard width <= Decoder.sideLimit, height <= Decoder.sideLimit,
      width * height <= Decoder.pixelLimit
    else {
      throw .tooLarge(file: demuxer.file, width: width, height: height, limit: sizeLimit)
    }
    let orientation = demuxer.orientation ?? .upright
    let shape = demuxer.pixelShape(of: nil)
    let stretched = shape.shown(width, height)
    let shown = stretched ?? (width: width, height: height)
    let rates = [stream.avg_frame_rate, stream.r_frame_rate]
    let rate = rates.first { $0.num > 0 && $0.den > 0 }
    return VideoInfo(
      width: orientation.swapsAxes ? shown.height : shown.width,
      height: orientation.swapsAxes ? shown.width : shown.height,
      rotation: orientation.degrees,
      codec: Decoder.name(of: parameters),
      container: demuxer.container,
      duration: demuxer.duration,
      frameRate: rate.map(av_q2d),
      containerFrames: demuxer.statedFrameCount,
      hasAudio: demuxer.hasAudio,
      streamCount: demuxer.streamCount,
      warnings: (stretched == nil ? [shapeWarning(shape)] : []) + colourWarnings(parameters))
  }

  private static func shapeWarning(_ shape: PixelAspectRatio) -> String {
    "the pixel aspect ratio \(shape.width):\(shape.height) is not plausible; square pixels are"
      + " assumed"
  }

  private static func colourWarnings(
    _ parameters: UnsafeMutablePointer<AVCodecParameters>
  ) -> [String] {
    var warnings: [String] = []
    let transfer = parameters.pointee.color_trc
    if transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67 {
      warnings.append("it is an HDR video; its colours are used without tone mapping")
    }
    let matrix = parameters.pointee.color_space
    if matrix == AVCOL_SPC_YCGCO || matrix == AVCOL_SPC_ICTCP {
      warnings.append("its colour matrix is not supported; BT.601 is assumed")
    }
    return warnings
  }

  /// Decodes the video and calls `body` with `count` frames that are evenly spaced over the decoded
  /// frames (`EvenSpread.indices`), in order.
  ///
  /// Packets are counted first. If each gives one frame, the video is decoded once; otherwise it is
  /// decoded again with the real number of frames. Memory is limited by the requested frames and
  /// `keptBytesLimit`, not by the length of the video.
  ///
  /// For H.264, packets that no requested frame depends on are skipped, which changes no pixel of
  /// these frames. Damage in skipped packets is not noticed. If any damage is noticed, the whole
  /// video is decoded.
  ///
  /// - Returns: The number of frames in the video, and whether anything was damaged or missing.
  /// - Throws: `MediaError`, errors of `body`, or `CancellationError` in a cancelled task.
  @discardableResult
  public func evenlySpacedFrames(
    _ count: Int, _ body: (VideoFrame) throws -> Void
  ) throws -> DecodeSummary {
    precondition(count > 0, "Video: \(count) frames asked for")
    return try frames({ total, _ in EvenSpread.indices(count, of: total) }, body)
  }

  /// Decodes the video and calls `body` with the frames that `choose` picks, in order.
  ///
  /// - Parameters:
  ///   - needsTimes: Whether `choose` uses the times.
  ///   - choose: The indices, ascending, for a number of frames and their times in seconds. It is
  ///     called with what the packets say (without times if a packet has none), and again with what
  ///     decoding showed. The last call before the first frame counts.
  func frames(
    needsTimes: Bool = false, _ choose: (_ total: Int, _ times: [Double]?) -> [Int],
    _ body: (VideoFrame) throws -> Void
  ) throws -> DecodeSummary {
    let packets = try PacketIndex.read(self, withTimes: needsTimes)
    let counted = packets.count
    let wanted = choose(counted, packets.times)
    if let plan = packets.plan(for: wanted), var planned = try keepFrames(plan) {
      try deliver(&planned.frames, body)
      planned.summary.decodedFrames = counted
      return planned.summary
    }
    var kept = try keepFrames(wanted)
    let real = choose(kept.summary.decodedFrames, kept.times)
    if real == wanted, !kept.isOverLimit {
      try deliver(&kept.frames, body)
      return kept.summary
    }
    kept.frames = []
    let indices = Set(real)
    return try decode(where: indices.contains, body)
  }

  /// Decodes the whole video and calls `body` with every `stride`-th frame, starting with the
  /// first.
  ///
  /// - Returns: The number of decoded frames, and whether anything was damaged or missing.
  /// - Throws: `MediaError`, errors of `body`, or `CancellationError` in a cancelled task.
  @discardableResult
  public func forEachFrame(
    stride: Int = 1, _ body: (VideoFrame) throws -> Void
  ) throws -> DecodeSummary {
    precondition(stride > 0, "Video: a stride of \(stride)")
    return try decode(where: { $0 % stride == 0 }, body)
  }

  // MARK: - Passes

  private struct Kept {
    var frames: [DecodePass.Arrival] = []
    var bytes = 0
    var isOverLimit = false
    /// The time of each decoded frame, kept or not. Empty if a plan was decoded.
    var times: [Double] = []
    var summary = DecodeSummary()
  }

  /// Decodes the whole video and keeps the frames at `indices`, up to `keptBytesLimit`.
  private func keepFrames(_ indices: [Int]) throws -> Kept {
    let pass = try DecodePass(self)
    var kept = Kept()
    var next = 0
    try pass.run { arrival in
      kept.times.append(arrival.time)
      guard next < indices.count, arrival.index == indices[next] else { return }
      next += 1
      try keep(arrival, in: &kept)
    }
    guard pass.summary.decodedFrames > 0 else { throw noFrames(pass.summary) }
    kept.summary = pass.summary
    return kept
  }

  /// Decodes the packets of a plan and keeps its frames. Nil if a frame is missing, damaged or out
  /// of order, or if the frames exceed `keptBytesLimit`.
  private func keepFrames(_ plan: DecodePlan) throws -> Kept? {
    let pass = try DecodePass(self)
    var kept = Kept()
    var next = 0
    var last = Int64.min
    var isInOrder = true
    try pass.run(plan) { arrival in
      let stamp = arrival.frame.stamp
      if stamp <= last || arrival.frame.isInterlaced { isInOrder = false }
      last = stamp
      guard next < plan.frames.count, stamp == plan.frames[next].stamp else { return }
      var wanted = arrival
      wanted.index = plan.frames[next].index
      next += 1
      try keep(wanted, in: &kept)
    }
    guard isInOrder, next == plan.frames.count, !kept.isOverLimit, pass.summary.isIntact else {
      return nil
    }
    kept.summary = pass.summary
    return kept
  }

  private func keep(_ arrival: DecodePass.Arrival, in kept: inout Kept) throws(MediaError) {
    guard !kept.isOverLimit else { return }
    kept.bytes += arrival.frame.byteCount
    if kept.bytes > keptBytesLimit {
      kept.isOverLimit = true
      kept.frames = []
      return
    }
    var moved = arrival
    moved.frame = try DecodedFrame(moving: arrival.frame, file: url.relativePath)
    kept.frames.append(moved)
  }

  /// Calls `body` with the frames as RGB and empties `frames` on the way, so that memory is freed
  /// as frames are delivered. Several frames are converted at once, each on its own thread.
  private func deliver(
    _ frames: inout [DecodePass.Arrival], _ body: (VideoFrame) throws -> Void
  ) throws {
    let converters = ConverterRow(
      file: url.relativePath, count: min(Self.convertedTogether, Parallel.threadCount))
    frames.reverse()
    while !frames.isEmpty {
      let some = Array(frames.suffix(converters.count).reversed())
      frames.removeLast(some.count)
      let images = converters.images(some)
      for (arrival, image) in zip(some, images) {
        try body(VideoFrame(index: arrival.index, time: arrival.time, image: try image.get()))
      }
    }
  }

  private func decode(
    where wants: (Int) -> Bool, _ body: (VideoFrame) throws -> Void
  ) throws -> DecodeSummary {
    let pass = try DecodePass(self)
    let converter = FrameConverter(file: url.relativePath)
    try pass.run { arrival in
      guard wants(arrival.index) else { return }
      let image = try converter.image(arrival.frame, arrival.shape, arrival.orientation)
      try body(VideoFrame(index: arrival.index, time: arrival.time, image: image))
    }
    guard pass.summary.decodedFrames > 0 else { throw noFrames(pass.summary) }
    return pass.summary
  }

  private func noFrames(_ summary: DecodeSummary) -> MediaError {
    let warnings = summary.warnings.joined(separator: "; ")
    return .noFrames(
      file: url.relativePath, reason: warnings.isEmpty ? "the stream is empty" : warnings)
  }
}
