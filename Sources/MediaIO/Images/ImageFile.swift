import CMediaShims
import DeepfakeCore
import Foundation

/// Reading and writing pictures in files: JPEG, PNG, HEIC, AVIF, WebP and others that FFmpeg
/// decodes.
///
/// ```swift
/// let photo = try ImageFile.read(file)
/// let small = photo.resized(width: photo.width / 2, height: photo.height / 2, method: .area)
/// try ImageFile.write(small, to: URL(fileURLWithPath: "small.jpg"), format: .jpeg(quality: 90))
/// ```
public enum ImageFile {
  /// The format of a written picture.
  public enum Format: Sendable, Equatable {
    /// Lossless, 8 bits for each channel.
    case png
    /// Lossy; the quality is 1 to 100. From 90 on, chroma keeps its full resolution.
    case jpeg(quality: Int)

    /// The format for a file's extension: PNG, or JPEG at quality 95; nil for other extensions.
    public init?(for url: URL) {
      switch url.pathExtension.lowercased() {
      case "png": self = .png
      case "jpg", "jpeg", "jpe": self = .jpeg(quality: 95)
      default: return nil
      }
    }
  }

  /// The maximum number of pixels of a picture, 2^28. It is checked before memory is allocated.
  public static let pixelLimit = 1 << 28

  /// The maximum size of a picture file in bytes, 1 GiB.
  public static let byteLimit = 1 << 30

  /// Reads the picture in a file as 8-bit RGB, turned upright.
  ///
  /// The content decides the format, not the name of the file.
  ///
  /// - JPEG: grey, YCbCr, RGB, CMYK and YCCK, baseline and progressive. The pixels are those of
  ///   libjpeg-turbo's defaults, which Pillow and OpenCV also use.
  /// - PNG: all colour types and depths, also interlaced. As in Pillow and OpenCV, alpha is dropped
  ///   without compositing, 16-bit samples keep their high byte, and colour profiles and gamma are
  ///   ignored.
  /// - HEIC and AVIF: the main picture, in one part or in tiles, cropped and turned as the file
  ///   states.
  /// - WebP, BMP, TIFF, JPEG 2000, JPEG XL and others: as FFmpeg decodes them, up to 2^27 pixels.
  ///
  /// EXIF gives the orientation of the picture or, if it has none, XMP.
  ///
  /// - Throws: `MediaError` if the file cannot be read, has another format, is damaged, is
  ///   truncated, or is larger than `pixelLimit` or `byteLimit`. A truncated JPEG is an error,
  ///   because half a picture is not the picture.
  public static func read(_ url: URL) throws(MediaError) -> Image {
    try read(RegularFile.read(url, limit: byteLimit), name: url.relativePath)
  }

  /// Reads the picture in a file's bytes; `name` is the file's name in errors.
  public static func read(_ data: Data, name: String) throws(MediaError) -> Image {
    guard !data.isEmpty else { throw .unsupported(file: name, found: "it is empty") }
    let format: PictureFormat
    switch FileContent(head: data) {
    case .picture(let found): format = found
    case .container: throw .unsupported(file: name, found: "it is a video, not a picture")
    case nil: throw .unsupported(file: name, found: "its picture format is not supported")
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

  /// Writes a picture. It is first written under a temporary name, so the file is never incomplete.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - url: The file; an existing one is replaced.
  ///   - format: The format; nil: the one for the file's extension.
  /// - Throws: `MediaError.unwritable` if the extension is unknown, or encoding or writing fails.
  public static func write(
    _ image: Image, to url: URL, format: Format? = nil
  ) throws(MediaError) {
    guard let format = format ?? Format(for: url) else {
      throw .unwritable(file: url.relativePath, reason: "give it a name that ends in .png or .jpg")
    }
    let bytes: Data
    do {
      bytes = try encode(image, as: format)
    } catch {
      throw .unwritable(file: url.relativePath, reason: error.reason)
    }
    try OutputFiles.write(bytes, to: url, failure: MediaError.unwritable)
  }

  /// The error of a codec that cannot encode a picture.
  public struct EncodingError: Error, Sendable {
    /// The message of the codec.
    public var reason: String
  }

  /// Encodes a picture as the bytes of a file.
  ///
  /// - Throws: `EncodingError` if there is not enough memory, or the picture is too large for the
  ///   format (65535 pixels a side for JPEG).
  public static func encode(_ image: Image, as format: Format) throws(EncodingError) -> Data {
    try encode(image, as: format, isSmall: true)
  }

  /// The picture after JPEG compression at `quality`, 1 to 100.
  ///
  /// - Throws: `EncodingError` if there is not enough memory or the picture is too large for JPEG.
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
