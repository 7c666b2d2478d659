import CFFmpeg
import CMediaShims
import DeepfakeCore

/// Pictures that one of FFmpeg's decoders reads from the bytes of a whole file.
enum FFmpegPicture {
  /// The picture, turned upright.
  static func decode(
    _ codec: AVCodecID, _ bytes: UnsafeRawBufferPointer, file: String
  ) throws(MediaError) -> Image {
    let orientation = try inspect(codec, bytes, file: file)
    let decoder = try Decoder(pictures: codec, configuration: [], file: file)
    let frame = try frame(of: bytes, decoder, file: file)
    return try FrameConverter(file: file).image(frame, .square, orientation)
  }

  /// The frame that `decoder` decodes from `bytes`.
  ///
  /// - Throws: `MediaError` if the frame is incomplete or damaged.
  static func frame(
    of bytes: UnsafeRawBufferPointer, _ decoder: Decoder, file: String
  ) throws(MediaError) -> DecodedFrame {
    let packet = try Packet(bytes, file: file)
    let frame = try DecodedFrame(file: file)
    _ = Message.takeLog()
    let status = decoder.decode(packet, into: frame)
    let message = Message.ffmpegLog(status)
    guard status >= 0 else {
      if let (width, height) = refusedSize(message) {
        throw .tooLarge(file: file, width: width, height: height, limit: Video.sizeLimit)
      }
      if status == df_av_error_memory() {
        throw .unreadable(file: file, reason: "out of memory")
      }
      if status == df_av_error_missing() {
        throw .unsupported(file: file, found: "FFmpeg cannot decode it: \(message)")
      }
      throw .damaged(file: file, reason: message)
    }
    guard df_av_frame_is_damaged(frame.pointer) == 0 else {
      throw .damaged(file: file, reason: "parts of the picture could not be decoded")
    }
    return frame
  }

  /// The size in a message such as "Picture size 65536x65536 exceeds ...", FFmpeg's error for a
  /// picture with more pixels than the limit.
  private static func refusedSize(_ message: String) -> (width: Int, height: Int)? {
    guard let word = message.range(of: "size ") else { return nil }
    let numbers = message[word.upperBound...].prefix { $0 != " " }.split(separator: "x")
    guard numbers.count == 2, let width = Int(numbers[0]), let height = Int(numbers[1]),
      width > 0, height > 0
    else { return nil }
    return (width, height)
  }

  /// The orientation of the picture.
  ///
  /// - Throws: `MediaError` if the file is truncated and its decoder would not notice, or if it is
  ///   an animated WebP.
  private static func inspect(
    _ codec: AVCodecID, _ bytes: UnsafeRawBufferPointer, file: String
  ) throws(MediaError) -> Orientation {
    switch codec {
    case AV_CODEC_ID_WEBP: return try inspectWebP(bytes, file: file)
    case AV_CODEC_ID_TIFF: return EXIF.orientation(bytes) ?? .upright
    case AV_CODEC_ID_JPEG2000:
      // Inside the data, no byte above 8F follows an FF, so FF D9 can only be the end mark.
      let hasEnd = zip(bytes, bytes.dropFirst()).contains { $0 == 0xFF && $1 == 0xD9 }
      if !hasEnd { throw cutOff(file) }
    case AV_CODEC_ID_QOI:
      if !bytes.suffix(8).elementsEqual([0, 0, 0, 0, 0, 0, 0, 1]) { throw cutOff(file) }
    default: break
    }
    return .upright
  }

  /// WebP is a list of chunks; each has a name of four letters, the number of bytes, and the bytes.
  private static func inspectWebP(
    _ bytes: UnsafeRawBufferPointer, file: String
  ) throws(MediaError) -> Orientation {
    var chunks = ByteReader(bytes, isBigEndian: false)
    guard chunks.skip(4), let size = chunks.number(4), chunks.skip(4) else { throw cutOff(file) }
    guard size <= bytes.count - 8 else { throw cutOff(file) }
    var (exif, xmp): (Orientation?, Orientation?)
    while let name = chunks.name(), let length = chunks.number(4),
      let content = chunks.bytes(length)
    {
      switch name {
      case "VP8X" where (content.first ?? 0) & 2 != 0:
        let found = "it is an animated WebP, which FFmpeg cannot decode"
        throw .unsupported(file: file, found: found)
      case "EXIF": exif = exif ?? EXIF.orientation(content)
      case "XMP ": xmp = xmp ?? XMP.orientation(content)
      default: break
      }
      if length % 2 == 1 { _ = chunks.skip(1) }
    }
    return exif ?? xmp ?? .upright
  }

  private static func cutOff(_ file: String) -> MediaError {
    .truncated(file: file, reason: "the data ends before the picture is complete")
  }
}
