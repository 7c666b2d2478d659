import CMediaShims
import DeepfakeCore
import Foundation

/// Pictures in files: JPEG, PNG, HEIC, AVIF, WebP and others that FFmpeg's decoders read.
///
/// ```swift
/// let photo = try ImageFile.read(file)
/// let small = photo.resized(width: photo.width / 2, height: photo.height / 2, method: .area)
/// try ImageFile.write(small, to: URL(fileURLWithPath: "small.jpg"), format: .jpeg(quality: 90))
/// ```
public enum ImageFile {
  /// How a picture is written.
  public enum Format: Sendable, Equatable {
    /// Lossless, 8 bits a channel.
    case png
    /// Lossy; quality 1 to 100. Chroma keeps its full resolution from 90 on.
    case jpeg(quality: Int)

    /// The format that a file's extension asks for: PNG, or JPEG at quality 95; nil for any other.
    public init?(for url: URL) {
      switch url.pathExtension.lowercased() {
      case "png": self = .png
      case "jpg", "jpeg", "jpe": self = .jpeg(quality: 95)
      default: return nil
      }
    }
  }

  /// Pixels of the largest picture that is decoded; checked before anything is allocated for it.
  public static let pixelLimit = 1 << 28

  /// Bytes of the largest picture file that is read.
  public static let byteLimit = 1 << 30

  /// The picture in a file, as 8-bit RGB and the right way up.
  ///
  /// What the content is decides, not the name. JPEG: grey, YCbCr, RGB, CMYK and YCCK, baseline and
  /// progressive, pixels as libjpeg-turbo decodes them by default (as Pillow and OpenCV do). PNG:
  /// every colour type and depth, interlaced too; alpha is dropped and not composited, 16-bit
  /// samples keep their high byte, colour profiles and gamma are ignored, again as Pillow and
  /// OpenCV do. HEIC and AVIF: the main picture, of one part or of tiles, cut and turned as the
  /// file says. WebP, BMP, TIFF, JPEG 2000, JPEG XL and the others: as FFmpeg decodes them, up to
  /// 2^27 pixels. Which way up a picture is, EXIF says or, where it does not, XMP.
  ///
  /// - Throws: `MediaError` where the file cannot be read, is of another kind, is damaged, ends
  ///   early or is larger than `pixelLimit`. A cut-off JPEG is an error: half a picture is not the
  ///   picture.
  public static func read(_ url: URL) throws(MediaError) -> Image {
    try read(RegularFile.read(url, limit: byteLimit), name: url.relativePath)
  }

  /// The picture in a file's bytes; `name` stands for the file in errors.
  public static func read(_ data: Data, name: String) throws(MediaError) -> Image {
    guard !data.isEmpty else { throw .unsupported(file: name, found: "it is empty") }
    let format: PictureFormat
    switch FileContent(head: data) {
    case .picture(let found): format = found
    case .container: throw .unsupported(file: name, found: "it is a video and no picture")
    case nil: throw .unsupported(file: name, found: "it is no picture of a kind that is known here")
    }
    let result: Result<Image, MediaError> = data.withUnsafeBytes { bytes in
      Result { () throws(MediaError) in try decode(format, bytes, file: name) }
    }
    return try result.get()
  }

  private static func decode(
    _ format: PictureFormat, _ bytes: UnsafeRawBufferPointer, file: String
  ) throws(MediaError) -> Image {
    switch format {
    case .jpeg:
      return try PictureDecoder(.jpeg, bytes.bindMemory(to: UInt8.self), file: file).decode()
    case .png:
      return try PictureDecoder(.png, bytes.bindMemory(to: UInt8.self), file: file).decode()
    case .heif:
      var picture = try HEIFPicture(bytes, file: file)
      return try picture.decode()
    case .ffmpeg(let codec):
      return try FFmpegPicture.decode(codec, bytes, file: file)
    }
  }

  /// Writes a picture, first under a temporary name, so that a file of that name is always whole.
  ///
  /// `format` defaults to what the extension asks for.
  ///
  /// - Throws: `MediaError.unwritable`.
  public static func write(
    _ image: Image, to url: URL, format: Format? = nil
  ) throws(MediaError) {
    guard let format = format ?? Format(for: url) else {
      throw .unwritable(file: url.relativePath, reason: "name it .png or .jpg")
    }
    let bytes: Data
    do {
      bytes = try encode(image, as: format)
    } catch {
      throw .unwritable(file: url.relativePath, reason: error.reason)
    }
    try OutputFiles.write(bytes, to: url, failure: MediaError.unwritable)
  }

  /// Why the codec refused a picture.
  public struct EncodingError: Error, Sendable {
    /// The codec's words.
    public var reason: String
  }

  /// A picture as the bytes of a file.
  ///
  /// - Throws: `EncodingError` where memory is out, or the format cannot hold so large a picture
  ///   (65535 pixels a side for JPEG).
  public static func encode(_ image: Image, as format: Format) throws(EncodingError) -> Data {
    try encode(image, as: format, isSmall: true)
  }

  /// A picture as JPEG of a quality, 1 to 100, shows it.
  ///
  /// - Throws: `EncodingError` likewise.
  public static func recompressed(
    _ image: Image, quality: Int
  ) throws(EncodingError) -> Image {
    let bytes = try encode(image, as: .jpeg(quality: quality), isSmall: false)
    do {
      return try read(bytes, name: "")
    } catch {
      throw EncodingError(reason: error.reason)
    }
  }

  private static func encode(
    _ image: Image, as format: Format, isSmall: Bool
  ) throws(EncodingError) -> Data {
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height)
    else {
      throw EncodingError(reason: "\(image.width)x\(image.height) is too large")
    }
    var bytes = df_bytes()
    var message = Message()
    let status = image.pixels.withUnsafeBufferPointer { pixels in
      switch format {
      case .png:
        message.fill { df_png_write(pixels.baseAddress, width, height, &bytes, $0) }
      case .jpeg(let quality):
        message.fill {
          let quality = Int32(min(max(quality, 1), 100))
          return df_jpeg_write(
            pixels.baseAddress, width, height, quality, isSmall ? 1 : 0, &bytes, $0)
        }
      }
    }
    guard status == DF_PICTURE_OK, let start = bytes.data else {
      throw EncodingError(reason: message.text.isEmpty ? "out of memory" : message.text)
    }
    defer { df_bytes_free(bytes) }
    return Data(bytes: start, count: bytes.size)
  }
}
