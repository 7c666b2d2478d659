import CFFmpeg
import CMediaShims
import DeepfakeCore

/// Turns decoded frames into pictures. Keeps its tables from frame to frame, and makes new ones
/// when size, format, pixels' shape or colour tags change in mid-stream.
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

  /// The frame as RGB: stretched where its pixels are not square, then turned by `orientation`.
  func image(
    _ frame: DecodedFrame, _ shape: PixelShape = .square, _ orientation: Orientation = .upright
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
    // swscale writes whole vectors, also where a row ends in the middle of one.
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
    return .unsupported(file: file, found: "its pixels (\(name)) do not convert to RGB")
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

/// Converters side by side, so that each of some frames is converted on a thread of its own.
final class ConverterRow {
  private let converters: [FrameConverter]

  init(file: String, count: Int) {
    converters = (0..<count).map { _ in FrameConverter(file: file) }
  }

  /// Frames that are converted at a time.
  var count: Int { converters.count }

  /// The frames, at most `count`, as RGB.
  func images(_ frames: [DecodePass.Arrival]) -> [Result<Image, MediaError>] {
    precondition(frames.count <= count, "ConverterRow: \(frames.count) frames for \(count)")
    // Each index has a converter and a frame to itself.
    nonisolated(unsafe) let pairs = Array(zip(converters, frames))
    return Parallel.map(pairs.count) { index in
      let (converter, frame) = pairs[index]
      return Result { () throws(MediaError) in
        try converter.image(frame.frame, frame.shape, frame.orientation)
      }
    }
  }
}
