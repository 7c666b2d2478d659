import CFFmpeg
import CMediaShims
import Foundation

/// A packet, whose memory is used again for the next one.
final class Packet {
  let pointer: UnsafeMutablePointer<AVPacket>

  init(file: String) throws(MediaError) {
    guard let packet = av_packet_alloc() else {
      throw .unreadable(file: file, reason: "out of memory")
    }
    pointer = packet
  }

  /// Creates a packet with a copy of these bytes.
  convenience init(_ bytes: UnsafeRawBufferPointer, file: String) throws(MediaError) {
    try self.init(file: file)
    guard let size = Int32(exactly: bytes.count), let start = bytes.baseAddress,
      av_new_packet(pointer, size) >= 0, let data = pointer.pointee.data
    else { throw .unreadable(file: file, reason: "out of memory") }
    UnsafeMutableRawPointer(data).copyMemory(from: start, byteCount: bytes.count)
  }

  deinit {
    var packet: UnsafeMutablePointer<AVPacket>? = pointer
    av_packet_free(&packet)
  }
}

/// An open container that is read packet by packet. Only the packets of the best video stream are
/// delivered.
///
/// Only the file itself is opened: FFmpeg may use only its `file` protocol and containers that do
/// not refer to other files.
final class Demuxer {
  let file: String
  /// The video stream; it is valid as long as the demuxer lives.
  let stream: UnsafeMutablePointer<AVStream>
  private let context: UnsafeMutablePointer<AVFormatContext>
  private let fileSize: Int
  /// The number of frames that the container states; nil if it does not state one.
  let statedFrameCount: Int?
  /// The timestamp at which a player's clock is zero.
  let origin: Int64
  private var clock: StreamClock
  private var packets = 0
  private var bytes = 0

  /// The reason why reading stopped early or skipped something; nil for an intact file.
  private(set) var readingProblem: String?

  /// The number of consecutive failed reads after which reading ends.
  private static let failureLimit = 16

  init(_ url: URL) throws(MediaError) {
    file = url.relativePath
    fileSize = try RegularFile.size(url)
    guard fileSize > 0 else { throw .unsupported(file: file, found: "it is empty") }
    df_av_log_collect()
    _ = Message.takeLog()
    let context = try Demuxer.open(url, file: file)
    let indexed = Demuxer.indexedFrames(of: context)
    do throws(MediaError) {
      try Demuxer.analyse(context, file: file)
      stream = try Demuxer.bestStream(of: context, file: file)
    } catch {
      var open: UnsafeMutablePointer<AVFormatContext>? = context
      avformat_close_input(&open)
      throw error
    }
    self.context = context
    let frames = Int(stream.pointee.nb_frames)
    statedFrameCount = frames > 0 ? min(frames, indexed[Int(stream.pointee.index)] ?? frames) : nil
    clock = StreamClock(context, stream)
    origin = Demuxer.origin(of: stream, in: context)
    // Warnings logged so far do not matter if the file could be opened.
    _ = Message.takeLog()
    for i in 0..<Int(context.pointee.nb_streams) {
      let other = context.pointee.streams[i]
      if other != stream { other?.pointee.discard = AVDISCARD_ALL }
    }
  }

  deinit {
    var open: UnsafeMutablePointer<AVFormatContext>? = context
    avformat_close_input(&open)
  }

  private static func open(
    _ url: URL, file: String
  ) throws(MediaError) -> UnsafeMutablePointer<AVFormatContext> {
    var options: OpaquePointer?
    av_dict_set(&options, "protocol_whitelist", "file", 0)
    av_dict_set(&options, "format_whitelist", df_av_format_whitelist(), 0)
    defer { av_dict_free(&options) }
    var context: UnsafeMutablePointer<AVFormatContext>?
    let status = FilePath.withBytes("file:" + url.path) {
      avformat_open_input(&context, $0, nil, &options)
    }
    guard status >= 0, let context else {
      let reason = Message.ffmpegLog(status)
      if reason.contains("moov atom not found") {
        throw .truncated(file: file, reason: "its index (moov) is missing")
      }
      if reason.contains("whitelist") {
        throw .unsupported(file: file, found: "it is not a video file")
      }
      throw .unsupported(file: file, found: "it is not a video file, or it is damaged (\(reason))")
    }
    return context
  }

  /// The number of packets of each stream in the container's index, for containers that have a full
  /// index at the start or end of the file (MOV, MP4, AVI); by stream number.
  ///
  /// It is smaller than the container's count if an edit list leaves some packets out, or if
  /// packets are empty. An empty packet in an AVI means that a frame is shown for longer.
  private static func indexedFrames(
    of context: UnsafeMutablePointer<AVFormatContext>
  ) -> [Int: Int] {
    let format = context.pointee.iformat.map { String(cString: $0.pointee.name) } ?? ""
    guard format.hasPrefix("mov") || format == "avi" else { return [:] }
    var found: [Int: Int] = [:]
    for i in 0..<Int(context.pointee.nb_streams) {
      let count = context.pointee.streams[i].map { Int(avformat_index_get_entries_count($0)) } ?? 0
      if count > 0 { found[i] = count }
    }
    return found
  }

  /// The timestamp of a player's zero. A player's clock starts with the first sound or picture.
  /// Because of its coding, sound often starts a little earlier. If the difference is less than a
  /// tenth of a second, the clock here starts with the picture.
  private static func origin(
    of stream: UnsafeMutablePointer<AVStream>, in context: UnsafeMutablePointer<AVFormatContext>
  ) -> Int64 {
    let none = df_av_no_time()
    let file = context.pointee.start_time
    let picture = stream.pointee.start_time
    guard file != none else { return picture == none ? 0 : picture }
    let base = stream.pointee.time_base
    let first = av_rescale_q(file, AVRational(num: 1, den: AV_TIME_BASE), base)
    guard picture != none else { return first }
    let lead = (Double(picture) - Double(first)) * av_q2d(base)
    return lead < 0.1 ? picture : first
  }

  /// Lets FFmpeg examine the streams, with the same limit of pixels as for decoding.
  private static func analyse(
    _ context: UnsafeMutablePointer<AVFormatContext>, file: String
  ) throws(MediaError) {
    var options = [OpaquePointer?](repeating: nil, count: Int(context.pointee.nb_streams))
    for i in options.indices {
      av_dict_set(&options[i], "max_pixels", String(Decoder.pixelLimit), 0)
    }
    let status = avformat_find_stream_info(context, &options)
    for i in options.indices { av_dict_free(&options[i]) }
    guard status >= 0 else { throw .damaged(file: file, reason: Message.ffmpegLog(status)) }
  }

  /// The main video stream by FFmpeg's choice; cover pictures do not count.
  private static func bestStream(
    of context: UnsafeMutablePointer<AVFormatContext>, file: String
  ) throws(MediaError) -> UnsafeMutablePointer<AVStream> {
    func isVideo(_ stream: UnsafeMutablePointer<AVStream>) -> Bool {
      stream.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO
        && stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC == 0
    }
    let streams = (0..<Int(context.pointee.nb_streams)).compactMap { context.pointee.streams[$0] }
    let best = Int(av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0))
    if streams.indices.contains(best), isVideo(streams[best]) { return streams[best] }
    if let first = streams.first(where: isVideo) { return first }
    let hasAudio = streams.contains {
      $0.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
    }
    throw .noVideo(file: file, found: hasAudio ? "only audio" : "no video stream")
  }

  /// Whether there is a sound stream.
  var hasAudio: Bool {
    (0..<streamCount).contains {
      context.pointee.streams[$0]?.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
    }
  }

  /// The number of streams of all kinds.
  var streamCount: Int { Int(context.pointee.nb_streams) }

  /// FFmpeg's short name of the container.
  var container: String { context.pointee.iformat.map { String(cString: $0.pointee.name) } ?? "" }

  /// The time of a timestamp of the stream on a player's clock, in seconds.
  func seconds(_ stamp: Int64) -> Double { (Double(stamp) - Double(origin)) * timeBase }

  /// The duration of one unit of the stream's timestamps, in seconds.
  private var timeBase: Double { av_q2d(stream.pointee.time_base) }

  /// The pixel aspect ratio of a frame, from the container or else from the frame itself; for nil,
  /// that of the stream.
  func pixelShape(of frame: DecodedFrame?) -> PixelAspectRatio {
    PixelAspectRatio(av_guess_sample_aspect_ratio(context, stream, frame?.pointer))
  }

  /// The orientation in the container, or nil if it has none.
  var orientation: Orientation? {
    var matrix = [Int32](repeating: 0, count: 9)
    guard df_av_stream_display_matrix(stream, &matrix) != 0 else { return nil }
    return Orientation(displayMatrix: matrix)
  }

  /// The duration in seconds, from the stream or else from the container; nil if unknown.
  var duration: Double? {
    if stream.pointee.duration > 0 {
      return Double(stream.pointee.duration) * timeBase
    }
    let duration = context.pointee.duration
    return duration > 0 ? Double(duration) / Double(AV_TIME_BASE) : nil
  }

  /// Whether the duration is stored in the file, rather than estimated from its content.
  var statesDuration: Bool {
    context.pointee.duration_estimation_method == AVFMT_DURATION_FROM_STREAM
  }

  /// Whether the container's clock jumped at the last packet, for example where two videos were
  /// joined.
  var hasJumped: Bool { clock.hasJumped }

  /// Reads the next packet of the video stream into `packet`, replacing its content. False at the
  /// end, or if nothing more can be read.
  func read(_ packet: Packet) -> Bool {
    var failures = 0
    av_packet_unref(packet.pointer)
    while failures < Demuxer.failureLimit {
      let status = av_read_frame(context, packet.pointer)
      if status == df_av_error_end() {
        if let error = context.pointee.pb?.pointee.error, error < 0, error != status {
          readingProblem = Message.ffmpeg(error)
        } else if readingProblem == nil {
          let logged = Message.takeLog()
          if logged.contains("prematurely") { readingProblem = logged }
        }
        return false
      }
      guard status >= 0 else {
        failures += 1
        if readingProblem == nil { readingProblem = Message.ffmpegLog(status) }
        continue
      }
      guard isPlausible(packet) else { return false }
      if packet.pointer.pointee.stream_index == stream.pointee.index {
        clock.move(packet)
        return true
      }
      av_packet_unref(packet.pointer)
    }
    return false
  }

  /// Whether the container's index is plausible so far. A malicious index can name the same bytes
  /// many times. In a valid file there are more bytes than packets, and each byte is read about
  /// once.
  private func isPlausible(_ packet: Packet) -> Bool {
    packets += 1
    bytes += Int(packet.pointer.pointee.size)
    let fits = packets <= fileSize + 1024 && bytes / 16 <= fileSize + (1 << 20)
    if !fits { readingProblem = "its index refers to more data than the file can contain" }
    return fits
  }
}
