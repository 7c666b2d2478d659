import CMediaShims
import DeepfakeCore

/// A JPEG or PNG file in memory. The initializer reads the header; `decode` reads the pixels.
///
/// It owns a C reader that refers to the bytes, so it must not outlive the call that provides them.
struct PictureDecoder: ~Copyable {
  private enum Reader {
    case jpeg(OpaquePointer)
    case png(OpaquePointer)
  }

  private let reader: Reader
  private let file: String
  /// The size in pixels, as stored.
  let width, height: Int

  enum Format {
    case jpeg, png
  }

  /// Reads the header in `bytes`; `file` is the name in errors.
  init(_ format: Format, _ bytes: UnsafeBufferPointer<UInt8>, file: String)
    throws(MediaError)
  {
    var handle: OpaquePointer?
    var (width, height): (UInt32, UInt32) = (0, 0)
    var message = Message()
    let status =
      switch format {
      case .jpeg:
        message.fill { df_jpeg_open(bytes.baseAddress, bytes.count, &handle, &width, &height, $0) }
      case .png:
        message.fill { df_png_open(bytes.baseAddress, bytes.count, &handle, &width, &height, $0) }
      }
    try PictureDecoder.check(status, message, file: file)
    guard let handle else { throw .unreadable(file: file, reason: "out of memory") }
    reader = format == .jpeg ? .jpeg(handle) : .png(handle)
    self.file = file
    self.width = Int(width)
    self.height = Int(height)
  }

  deinit {
    switch reader {
    case .jpeg(let handle): df_jpeg_close(handle)
    case .png(let handle): df_png_close(handle)
    }
  }

  /// Decodes the picture and turns it upright.
  consuming func decode() throws(MediaError) -> Image {
    guard width > 0, height > 0, width <= ImageFile.pixelLimit / height else {
      throw .tooLarge(
        file: file, width: width, height: height,
        limit: "at most \(ImageFile.pixelLimit) pixels are allowed")
    }
    var status = DF_PICTURE_OK
    var message = Message()
    let stored = Image(width: width, height: height) { target in
      status =
        switch reader {
        case .jpeg(let handle): message.fill { df_jpeg_decode(handle, target.baseAddress, $0) }
        case .png(let handle): message.fill { df_png_decode(handle, target.baseAddress, $0) }
        }
    }
    try PictureDecoder.check(status, message, file: file)
    return orientation.applied(to: stored)
  }

  private var orientation: Orientation {
    switch reader {
    case .jpeg(let handle):
      return block(EXIF.orientation(_:)) { df_jpeg_exif(handle, &$0) }
        ?? block(XMP.orientation) { df_jpeg_xmp(handle, &$0) } ?? .upright
    case .png(let handle):
      let profile = EXIF.orientation(rawProfile:)
      return block(EXIF.orientation(_:)) { df_png_exif(handle, &$0) }
        ?? block(profile) { df_png_text(handle, "Raw profile type exif", &$0) }
        ?? block(profile) { df_png_text(handle, "Raw profile type APP1", &$0) }
        ?? block(XMP.orientation) { df_png_text(handle, "XML:com.adobe.xmp", &$0) } ?? .upright
    }
  }

  private func block(
    _ read: (UnsafeRawBufferPointer) -> Orientation?,
    in find: (inout Int) -> UnsafePointer<UInt8>?
  ) -> Orientation? {
    var size = 0
    guard let start = find(&size) else { return nil }
    return read(UnsafeRawBufferPointer(start: start, count: size))
  }

  private static func check(
    _ status: df_picture_status, _ message: Message, file: String
  ) throws(MediaError) {
    switch status {
    case DF_PICTURE_OK: return
    case DF_PICTURE_TRUNCATED: throw .truncated(file: file, reason: message.text)
    case DF_PICTURE_UNSUPPORTED: throw .unsupported(file: file, found: message.text)
    case DF_PICTURE_NO_MEMORY: throw .unreadable(file: file, reason: "out of memory")
    default: throw .damaged(file: file, reason: message.text)
    }
  }
}
