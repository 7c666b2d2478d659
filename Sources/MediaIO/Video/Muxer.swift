import CFFmpeg
import CMediaShims
import Foundation

/// A container with one video stream that is being written.
final class Muxer {
  private let file: String
  private let context: UnsafeMutablePointer<AVFormatContext>
  private var hasHeader = false

  /// Opens `url` for writing and replaces an existing file.
  ///
  /// - Parameters:
  ///   - url: The file to write.
  ///   - file: The name of the file in errors.
  ///   - format: FFmpeg's short name of the container.
  init(_ url: URL, file: String, format: String) throws(MediaError) {
    self.file = file
    df_av_log_collect()
    _ = Message.takeLog()
    let path = "file:" + url.path
    var context: UnsafeMutablePointer<AVFormatContext>?
    var status = avformat_alloc_output_context2(&context, nil, format, path)
    guard status >= 0, let context else {
      throw .unwritable(file: file, reason: "FFmpeg cannot write \(format)")
    }
    status = avio_open(&context.pointee.pb, path, AVIO_FLAG_WRITE)
    guard status >= 0 else {
      avformat_free_context(context)
      throw .unwritable(file: file, reason: Message.ffmpeg(status))
    }
    self.context = context
  }

  deinit {
    avio_closep(&context.pointee.pb)
    avformat_free_context(context)
  }

  /// Whether the container stores the codec's header instead of the stream.
  var wantsHeader: Bool { context.pointee.oformat.pointee.flags & AVFMT_GLOBALHEADER != 0 }

  /// Adds the stream of an encoder, and writes the container's header.
  func start(_ encoder: UnsafeMutablePointer<AVCodecContext>) throws(MediaError) {
    guard let stream = avformat_new_stream(context, nil),
      avcodec_parameters_from_context(stream.pointee.codecpar, encoder) >= 0
    else { throw .unwritable(file: file, reason: "out of memory") }
    stream.pointee.time_base = encoder.pointee.time_base
    stream.pointee.avg_frame_rate = encoder.pointee.framerate
    var options: OpaquePointer?
    // Moves the index to the start of the file, so that a player can start before it has the whole
    // file.
    av_dict_set(&options, "movflags", "+faststart", 0)
    defer { av_dict_free(&options) }
    try check(avformat_write_header(context, &options))
    hasHeader = true
  }

  /// Writes a packet whose timestamps are in units of `timeBase`.
  func write(_ packet: Packet, timeBase: AVRational) throws(MediaError) {
    guard let stream = context.pointee.streams[0] else { return }
    packet.pointer.pointee.stream_index = 0
    av_packet_rescale_ts(packet.pointer, timeBase, stream.pointee.time_base)
    try check(av_interleaved_write_frame(context, packet.pointer))
  }

  /// Completes and closes the file. All bytes have been passed to the system when this returns.
  func finish() throws(MediaError) {
    if hasHeader { try check(av_write_trailer(context)) }
    let status = avio_closep(&context.pointee.pb)
    guard status >= 0 else { throw .unwritable(file: file, reason: Message.ffmpeg(status)) }
  }

  /// Throws if `status` or the output has an error. Buffered writes fail later than they are
  /// requested, and some muxers do not check for this.
  private func check(_ status: Int32) throws(MediaError) {
    let error = context.pointee.pb?.pointee.error ?? 0
    guard status >= 0, error >= 0 else {
      throw .unwritable(
        file: file, reason: error < 0 ? Message.ffmpeg(error) : Message.ffmpegLog(status))
    }
  }
}
