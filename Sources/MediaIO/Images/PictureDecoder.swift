import CMediaShims
import DeepfakeCore

/// A picture format that is decoded here.
enum PictureFormat {
  case jpeg, png

  /// The format that a file's first bytes show.
  init?(head: some Collection<UInt8>) {
    if head.starts(with: [0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else {
      return nil
    }
  }
}

/// A picture file in memory, its header read; the pixels come with `decode`.
///
/// Owns the C reader, whose bytes must stay in place as long as it lives: it never leaves the call that
/// holds them.
struct PictureDecoder: ~Copyable {
  private enum Reader {
    case jpeg(OpaquePointer)
    case png(OpaquePointer)
  }

  private let reader: Reader
  private let file: String
  /// Pixels across and down, as stored.
  let width, height: Int

  /// Reads the header of `bytes`, which came from `file`.
  init(_ format: PictureFormat, _ bytes: UnsafeBufferPointer<UInt8>, file: String)
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

  /// The picture, the right way up.
  consuming func decode() throws(MediaError) -> Image {
    guard width > 0, height > 0, width <= ImageFile.pixelLimit / height else {
      throw .tooLarge(
        file: file, width: width, height: height,
        limit: "at most \(ImageFile.pixelLimit) pixels are decoded")
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
    var size = 0
    let block =
      switch reader {
      case .jpeg(let handle): df_jpeg_exif(handle, &size)
      case .png(let handle): df_png_exif(handle, &size)
      }
    return EXIF.orientation(UnsafeRawBufferPointer(start: block, count: block == nil ? 0 : size))
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
