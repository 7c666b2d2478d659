import CFFmpeg
import CMediaShims

/// A decoded frame. Its pixels are shared with the decoder and not copied.
final class DecodedFrame {
  let pointer: UnsafeMutablePointer<AVFrame>

  init(file: String) throws(MediaError) {
    guard let frame = av_frame_alloc() else {
      throw .unreadable(file: file, reason: "out of memory")
    }
    pointer = frame
  }

  /// Moves the content of `other` here and leaves it empty.
  convenience init(moving other: DecodedFrame, file: String) throws(MediaError) {
    try self.init(file: file)
    av_frame_move_ref(pointer, other.pointer)
  }

  /// The approximate size of its pixels in bytes.
  var byteCount: Int {
    let frame = pointer.pointee
    let size = av_image_get_buffer_size(AVPixelFormat(frame.format), frame.width, frame.height, 64)
    return size > 0 ? Int(size) : 4 * Int(frame.width) * Int(frame.height)
  }

  /// The presentation timestamp in the stream's time base.
  var stamp: Int64 { pointer.pointee.pts }

  /// Whether the frame consists of two fields.
  var isInterlaced: Bool { df_av_frame_is_interlaced(pointer) != 0 }

  deinit {
    var frame: UnsafeMutablePointer<AVFrame>? = pointer
    av_frame_free(&frame)
  }
}

/// The decoder of one stream.
final class Decoder {
  /// The maximum side and the maximum number of pixels of a frame.
  static let sideLimit = 16384
  static let pixelLimit = 1 << 27

  private let context: UnsafeMutablePointer<AVCodecContext>

  /// Opens a decoder for a container's video stream. It takes the demuxer because the stream must
  /// not outlive it.
  init(_ demuxer: Demuxer, threadCount: Int) throws(MediaError) {
    let stream = demuxer.stream
    guard let parameters = stream.pointee.codecpar else {
      throw .damaged(file: demuxer.file, reason: "the video stream has no description")
    }
    context = try Decoder.open(parameters.pointee.codec_id, file: demuxer.file) { context in
      let status = avcodec_parameters_to_context(context, parameters)
      context.pointee.pkt_timebase = stream.pointee.time_base
      context.pointee.thread_count = Int32(min(max(threadCount, 1), 16))
      context.pointee.thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE
      return status
    }
  }

  /// Opens a decoder for single pictures.
  ///
  /// - Parameters:
  ///   - codec: The codec of the pictures.
  ///   - configuration: The configuration that the file stores separately from the pictures; it may
  ///     be empty.
  ///   - file: The name in errors.
  init(pictures codec: AVCodecID, configuration: [UInt8], file: String) throws(MediaError) {
    context = try Decoder.open(codec, file: file) { context in
      context.pointee.thread_count = 1
      guard !configuration.isEmpty else { return 0 }
      let room = configuration.count + Int(AV_INPUT_BUFFER_PADDING_SIZE)
      guard let bytes = av_mallocz(room) else { return df_av_error_memory() }
      bytes.copyMemory(from: configuration, byteCount: configuration.count)
      context.pointee.extradata = bytes.assumingMemoryBound(to: UInt8.self)
      context.pointee.extradata_size = Int32(configuration.count)
      return 0
    }
  }

  private static func open(
    _ id: AVCodecID, file: String,
    _ configure: (UnsafeMutablePointer<AVCodecContext>) -> Int32
  ) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
    df_av_log_collect()
    let name = String(cString: avcodec_get_name(id))
    guard let codec = avcodec_find_decoder(id) else {
      throw .unsupported(file: file, found: "FFmpeg has no decoder for \(name)")
    }
    guard let context = avcodec_alloc_context3(codec) else {
      throw .unreadable(file: file, reason: "out of memory")
    }
    var status = configure(context)
    if status >= 0 {
      context.pointee.max_pixels = Int64(Decoder.pixelLimit)
      status = avcodec_open2(context, codec, nil)
    }
    guard status >= 0 else {
      var open: UnsafeMutablePointer<AVCodecContext>? = context
      avcodec_free_context(&open)
      throw .unsupported(
        file: file, found: "the decoder \(name) cannot be opened (\(Message.ffmpegLog(status)))")
    }
    return context
  }

  deinit {
    var open: UnsafeMutablePointer<AVCodecContext>? = context
    avcodec_free_context(&open)
  }

  /// FFmpeg's short name of a stream's codec.
  static func name(of parameters: UnsafeMutablePointer<AVCodecParameters>) -> String {
    String(cString: avcodec_get_name(parameters.pointee.codec_id))
  }

  /// The result of sending a packet.
  enum Sent { case taken, full, refused }

  /// Sends a packet to the decoder; nil at the end of the stream.
  func send(_ packet: Packet?) -> Sent {
    let status = avcodec_send_packet(context, packet?.pointer)
    if status == df_av_error_again() { return .full }
    return status >= 0 || status == df_av_error_end() ? .taken : .refused
  }

  /// Resets the decoder after its end, so that it can continue with a packet that needs no earlier
  /// ones.
  func restart() { avcodec_flush_buffers(context) }

  /// The result of receiving a frame.
  enum Received { case frame, nothingYet, end, failed }

  /// Receives the next frame in presentation order.
  func receive(_ frame: DecodedFrame) -> Received {
    let status = avcodec_receive_frame(context, frame.pointer)
    if status >= 0 { return .frame }
    if status == df_av_error_again() { return .nothingYet }
    return status == df_av_error_end() ? .end : .failed
  }

  /// Decodes a packet that contains one whole picture, independent of earlier packets.
  ///
  /// - Returns: FFmpeg's error number, or 0.
  func decode(_ picture: Packet, into frame: DecodedFrame) -> Int32 {
    avcodec_flush_buffers(context)
    let sent = avcodec_send_packet(context, picture.pointer)
    guard sent >= 0 else { return sent }
    let ended = avcodec_send_packet(context, nil)
    guard ended >= 0 else { return ended }
    return avcodec_receive_frame(context, frame.pointer)
  }
}
