import CFFmpeg
import CMediaShims
import DeepfakeCore

/// A video encoder for pictures of one size. It uses the first encoder that FFmpeg can open: H.264
/// if possible, otherwise MPEG-4.
final class Encoder {
  /// The time base: ticks per second of input and output timestamps. MPEG-4 allows at most 65535.
  /// This value represents the usual frame rates, including NTSC's, exactly or within 9
  /// microseconds.
  static let ticks: Int32 = 60_000

  /// FFmpeg's encoders in order of preference. Those of graphics cards are left out: FFmpeg can
  /// contain them without a usable card.
  static let names = ["libx264", "libopenh264", "h264_videotoolbox", "mpeg4"]

  let context: UnsafeMutablePointer<AVCodecContext>
  private let file: String
  private let frame: DecodedFrame
  private let converter: OpaquePointer

  /// Opens an encoder.
  ///
  /// - Parameters:
  ///   - file: The name of the file in errors.
  ///   - width: The width in pixels, even.
  ///   - height: The height in pixels, even.
  ///   - frameRate: The average number of frames per second, used to choose bit rates.
  ///   - headerInContainer: Whether the container stores the codec's header.
  ///   - threadCount: The number of threads, limited to 1 to 8.
  ///   - names: FFmpeg's encoders to try, in order of preference.
  ///   - crf: libx264's constant rate factor; higher means smaller files and lower quality.
  /// - Throws: `MediaError.unwritable` if no encoder can be opened.
  init(
    file: String, width: Int, height: Int, frameRate: Double, headerInContainer: Bool,
    threadCount: Int, names: [String], crf: Int
  ) throws(MediaError) {
    self.file = file
    // Players assume BT.709 for large pictures without colour tags.
    let isHD = height >= 720
    guard let converter = df_yuv_converter_new(Int32(width), Int32(height), isHD ? 1 : 0) else {
      throw .unwritable(file: file, reason: "out of memory")
    }
    do throws(MediaError) {
      frame = try DecodedFrame(file: file)
      context = try Encoder.open(
        file: file, width: width, height: height, frameRate: frameRate, isHD: isHD,
        headerInContainer: headerInContainer, threadCount: threadCount, names: names, crf: crf)
    } catch {
      df_yuv_converter_free(converter)
      throw error
    }
    self.converter = converter
  }

  deinit {
    var open: UnsafeMutablePointer<AVCodecContext>? = context
    avcodec_free_context(&open)
    df_yuv_converter_free(converter)
  }

  private static func open(
    file: String, width: Int, height: Int, frameRate: Double, isHD: Bool,
    headerInContainer: Bool, threadCount: Int, names: [String], crf: Int
  ) throws(MediaError) -> UnsafeMutablePointer<AVCodecContext> {
    var problems: [String] = []
    for name in names {
      guard let codec = avcodec_find_encoder_by_name(name) else { continue }
      guard let context = avcodec_alloc_context3(codec) else {
        throw .unwritable(file: file, reason: "out of memory")
      }
      context.pointee.width = Int32(width)
      context.pointee.height = Int32(height)
      context.pointee.pix_fmt = AV_PIX_FMT_YUV420P
      context.pointee.time_base = AVRational(num: 1, den: ticks)
      context.pointee.framerate = av_d2q(frameRate, Int32(UInt16.max))
      context.pointee.colorspace = isHD ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M
      context.pointee.color_range = AVCOL_RANGE_MPEG
      context.pointee.thread_count = Int32(min(max(threadCount, 1), 8))
      if headerInContainer { context.pointee.flags |= AV_CODEC_FLAG_GLOBAL_HEADER }
      tune(context, name, frameRate: frameRate, crf: crf)
      let status = avcodec_open2(context, codec, nil)
      if status >= 0 { return context }
      problems.append("\(name): \(Message.ffmpegLog(status))")
      var unused: UnsafeMutablePointer<AVCodecContext>? = context
      avcodec_free_context(&unused)
    }
    throw .unwritable(
      file: file,
      reason: problems.isEmpty
        ? "FFmpeg has no encoder for H.264 or MPEG-4 (\(names.joined(separator: ", "))); install"
          + " an FFmpeg that has one"
        : "no encoder supports \(width)x\(height) pixels (\(problems.joined(separator: "; ")))")
  }

  /// Sets the options of the encoder for a result close to the original, at moderate speed.
  private static func tune(
    _ context: UnsafeMutablePointer<AVCodecContext>, _ name: String, frameRate: Double, crf: Int
  ) {
    let options = context.pointee.priv_data
    switch name {
    case "libx264":
      av_opt_set(options, "preset", "veryfast", 0)
      av_opt_set(options, "crf", "\(crf)", 0)
      // libx264 looks ahead by dozens of pictures; for large pictures this would take gigabytes.
      let pixels = Int(context.pointee.width) * Int(context.pointee.height)
      if pixels > 1 << 24 { av_opt_set(options, "tune", "zerolatency", 0) }
    case "mpeg4":
      context.pointee.flags |= AV_CODEC_FLAG_QSCALE
      context.pointee.global_quality = 3 * FF_QP2LAMBDA
    default:
      // A tenth of a bit per pixel.
      let pixels = Double(context.pointee.width) * Double(context.pointee.height)
      context.pointee.bit_rate = Int64(max(200_000, 0.1 * pixels * min(frameRate, 120)))
    }
  }

  /// Encodes a picture that is shown from `tick` on; nil flushes the encoder. Calls `body` with
  /// every packet that is ready.
  func encode(
    _ image: Image?, at tick: Int64 = 0, _ body: (Packet) throws(MediaError) -> Void
  ) throws(MediaError) {
    if let image { try fill(with: image, tick) }
    var status = avcodec_send_frame(context, image == nil ? nil : frame.pointer)
    av_frame_unref(frame.pointer)
    guard status >= 0 else { throw failure(status) }
    let packet = try Packet(file: file)
    while true {
      status = avcodec_receive_packet(context, packet.pointer)
      if status == df_av_error_again() || status == df_av_error_end() { return }
      guard status >= 0 else { throw failure(status) }
      try body(packet)
    }
  }

  /// Copies a picture to a new frame buffer, because the encoder may keep earlier buffers for long.
  private func fill(with image: Image, _ tick: Int64) throws(MediaError) {
    let target = frame.pointer
    target.pointee.format = AV_PIX_FMT_YUV420P.rawValue
    target.pointee.width = context.pointee.width
    target.pointee.height = context.pointee.height
    guard av_frame_get_buffer(target, 0) >= 0 else {
      throw .unwritable(file: file, reason: "out of memory")
    }
    let done = image.pixels.withUnsafeBufferPointer {
      df_yuv_converter_run(
        converter, $0.baseAddress, Int32(image.width), Int32(image.height), target)
    }
    guard done != 0 else {
      throw .unwritable(file: file, reason: "a picture cannot be converted to YUV")
    }
    target.pointee.pts = tick
    target.pointee.colorspace = context.pointee.colorspace
    target.pointee.color_range = context.pointee.color_range
    target.pointee.quality = context.pointee.global_quality
  }

  private func failure(_ status: Int32) -> MediaError {
    .unwritable(file: file, reason: "encoding failed (\(Message.ffmpegLog(status)))")
  }
}
