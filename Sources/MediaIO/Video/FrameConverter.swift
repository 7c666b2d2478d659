import CFFmpeg
import CMediaShims
import DeepfakeCore

/// A converter from decoded frames to RGB pictures. It keeps its tables and creates new ones only
/// when the size, format, pixel aspect ratio or colour tags change.
final class FrameConverter {
  private let file: String
  private var converter: OpaquePointer?
  private var rows: UnsafeMutableRawBufferPointer?

  init(file: String) {
    self.file = file
  }

  deinit {
    df_converter_free(converter)
    rows?.deallocate()
  }

  /// The frame as RGB. Pixels that are not square are stretched; then `orientation` is applied.
  func image(
    _ frame: DecodedFrame, _ shape: PixelAspectRatio = .square,
    _ orientation: Orientation = .upright
  ) throws(MediaError) -> Image {
    var width = Int(frame.pointer.pointee.width)
    var height = Int(frame.pointer.pointee.height)
    guard width > 0, height > 0, width <= Decoder.sideLimit, height <= Decoder.sideLimit else {
      throw .tooLarge(file: file, width: width, height: height, limit: Video.sizeLimit)
    }
    if let shown = shape.shown(width, height) { (width, height) = shown }
    let (columns, rows) = (Int32(width), Int32(height))
    if let old = converter, df_converter_fits(old, frame.pointer, columns, rows) == 0 {
      df_converter_free(old)
      converter = nil
    }
    if converter == nil { converter = df_converter_new(frame.pointer, columns, rows) }
    guard let converter else { throw unsupported(frame) }
    // swscale writes whole vectors, even if a row ends within one.
    let stride = (width * 3 + 63) & ~63
    if stride == width * 3, orientation == .upright {
      var isDone = false
      let image = Image(width: width, height: height, room: 64) { pixels in
        guard let base = pixels.baseAddress else { return }
        isDone = df_converter_run(converter, frame.pointer, base, Int32(stride)) != 0
      }
      guard isDone else { throw unsupported(frame) }
      return image
    }
    let base = room(for: stride * height + 64)
    guard df_converter_run(converter, frame.pointer, base, Int32(stride)) != 0 else {
      throw unsupported(frame)
    }
    return orientation.image(of: base, width: width, height: height, stride: stride)
  }

  private func unsupported(_ frame: DecodedFrame) -> MediaError {
    let format = av_get_pix_fmt_name(AVPixelFormat(frame.pointer.pointee.format))
    let name = format.map { String(cString: $0) } ?? "of an unknown kind"
    return .unsupported(file: file, found: "its pixels (\(name)) cannot be converted to RGB")
  }

  private func room(for count: Int) -> UnsafeMutablePointer<UInt8> {
    let old = rows
    if let old, old.count >= count, let base = old.baseAddress {
      return base.assumingMemoryBound(to: UInt8.self)
    }
    old?.deallocate()
    let new = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
    rows = new
    return new.bindMemory(to: UInt8.self).baseAddress
      ?? { preconditionFailure("FrameConverter: \(count) bytes have no address") }()
  }
}

/// A group of converters that convert several frames at once, each on its own thread.
final class ConverterRow {
  private let converters: [FrameConverter]

  init(file: String, count: Int) {
    converters = (0..<count).map { _ in FrameConverter(file: file) }
  }

  /// The number of frames that are converted at once.
  var count: Int { converters.count }

  /// The frames as RGB, in order; at most `count` frames.
  func images(_ frames: [DecodePass.Arrival]) -> [Result<Image, MediaError>] {
    precondition(frames.count <= count, "ConverterRow: \(frames.count) frames for \(count)")
    // Each index has its own converter and its own frame.
    nonisolated(unsafe) let pairs = Array(zip(converters, frames))
    return Parallel.map(pairs.count) { index in
      let (converter, frame) = pairs[index]
      return Result { () throws(MediaError) in
        try converter.image(frame.frame, frame.shape, frame.orientation)
      }
    }
  }
}
