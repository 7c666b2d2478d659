import CFFmpeg
import CMediaShims
import Foundation

/// A packet's storage, reused from packet to packet.
final class Packet {
  let pointer: UnsafeMutablePointer<AVPacket>

  init(file: String) throws(MediaError) {
    guard let packet = av_packet_alloc() else {
      throw .unreadable(file: file, reason: "out of memory")
    }
    pointer = packet
  }

  /// A packet of these bytes, copied.
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

/// An open container, read packet by packet, of which only the best video stream is delivered.
///
/// Only the file itself is opened: FFmpeg is held to its `file` protocol and to containers that
/// refer to nothing else.
final class Demuxer {
  let file: String
  /// Lives as long as the demuxer.
  let stream: UnsafeMutablePointer<AVStream>
  private let context: UnsafeMutablePointer<AVFormatContext>
  private let fileSize: Int
  /// Frames that the container claims to hold; nil where it does not say.
  let promisedFrames: Int?
  /// The timestamp at which a player's clock is zero.
  let origin: Int64
  private var clock: StreamClock
  private var packets = 0
  private var bytes = 0

  /// Why reading stopped, or skipped something, before the container's end; nil in a sound file.
  private(set) var readingProblem: String?

  /// Failed reads in a row after which the rest is given up.
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
    promisedFrames = frames > 0 ? min(frames, indexed[Int(stream.pointee.index)] ?? frames) : nil
    clock = StreamClock(context, stream)
    origin = Demuxer.origin(of: stream, in: context)
    // What was logged on the way is of no interest when the file opened after all.
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
        throw .unsupported(file: file, found: "it is no video file")
      }
      throw .unsupported(file: file, found: "it is no video file, or a damaged one (\(reason))")
    }
    return context
  }

  /// By stream, the packets that the index names at the file's start or end, where it names every
  /// one.
  ///
  /// Fewer than the container's count where an edit list leaves some out, or where packets are
  /// empty (an AVI says so that a frame is shown for longer).
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

  /// A player's clock begins with the first sound or picture. Sound often begins a little earlier,
  /// by how it is coded; then the clock here begins with the picture.
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

  /// Lets FFmpeg look into the streams, with the same limit on frames as for decoding.
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

  /// The stream that FFmpeg holds for the main one; cover pictures are none.
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
    throw .noVideo(file: file, found: hasAudio ? "sound alone" : "no stream of pictures")
  }

  /// Whether there is a sound stream.
  var hasAudio: Bool {
    (0..<streamCount).contains {
      context.pointee.streams[$0]?.pointee.codecpar.pointee.codec_type == AVMEDIA_TYPE_AUDIO
    }
  }

  /// Streams of every kind.
  var streamCount: Int { Int(context.pointee.nb_streams) }

  /// The container's short name.
  var container: String { context.pointee.iformat.map { String(cString: $0.pointee.name) } ?? "" }

  /// Seconds on a player's clock of one of the stream's timestamps.
  func seconds(_ stamp: Int64) -> Double { (Double(stamp) - Double(origin)) * timeBase }

  /// Seconds in a unit of the stream's timestamps.
  private var timeBase: Double { av_q2d(stream.pointee.time_base) }

  /// The shape of a frame's pixels, by the container or else by the frame itself; nil for the
  /// stream's.
  func pixelShape(of frame: DecodedFrame?) -> PixelShape {
    PixelShape(av_guess_sample_aspect_ratio(context, stream, frame?.pointer))
  }

  /// The container's word on how frames are turned, if any.
  var orientation: Orientation? {
    var matrix = [Int32](repeating: 0, count: 9)
    guard df_av_stream_display_matrix(stream, &matrix) != 0 else { return nil }
    return Orientation(displayMatrix: matrix)
  }

  /// Seconds, by the stream or else by the container.
  var duration: Double? {
    if stream.pointee.duration > 0 {
      return Double(stream.pointee.duration) * timeBase
    }
    let duration = context.pointee.duration
    return duration > 0 ? Double(duration) / Double(AV_TIME_BASE) : nil
  }

  /// Whether the duration is written in the file, and not told from what it holds.
  var promisesDuration: Bool {
    context.pointee.duration_estimation_method == AVFMT_DURATION_FROM_STREAM
  }

  /// Whether the container's clock jumped with the last packet, as where two were joined.
  var hasJumped: Bool { clock.hasJumped }

  /// Reads the video stream's next packet, over the one before. False at the end, or where nothing
  /// more can be read.
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

  /// An index can name the same bytes any number of times; a true one has more bytes than packets
  /// and reads each byte about once.
  private func isPlausible(_ packet: Packet) -> Bool {
    packets += 1
    bytes += Int(packet.pointer.pointee.size)
    let fits = packets <= fileSize + 1024 && bytes / 16 <= fileSize + (1 << 20)
    if !fits { readingProblem = "its index names more data than the file can hold" }
    return fits
  }
}
