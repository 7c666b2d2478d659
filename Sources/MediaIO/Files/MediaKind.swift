import Foundation

/// The kind of a file's content.
public enum MediaKind: String, Sendable, CaseIterable {
  /// A picture that `ImageFile` reads.
  case image
  /// A container that `Video` opens. It may have no video stream; opening it shows this.
  case video

  /// Determines the kind from the first bytes of a file; nil if they are neither a picture nor a
  /// video container.
  ///
  /// - Throws: `MediaError.unreadable` if the file cannot be read.
  public static func of(_ url: URL) throws(MediaError) -> MediaKind? {
    let head = try RegularFile.head(url, count: FileContent.headSize)
    switch FileContent(head: head, name: url.lastPathComponent) {
    case .picture: return .image
    case .container: return .video
    case nil: return nil
    }
  }

  /// The kind that a file's extension indicates; nil if the extension is unknown.
  public init?(extensionOf url: URL) {
    self.init(extension: Self.extensionOf(url.path))
  }

  /// The kind that an extension in lower case indicates; nil if it is unknown.
  init?(extension name: String) {
    guard let kind = Self.byExtension[name] else { return nil }
    self = kind
  }

  /// A path's extension in lower case, without the dot; empty if there is none.
  static func extensionOf(_ path: String) -> String {
    let name =
      path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[$0...].dropFirst() } ?? path[...]
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else {
      return ""
    }
    return name[dot...].dropFirst().lowercased()
  }

  /// The extensions, in lower case, by which files in folders are selected without reading them.
  /// `ts` is left out because source code uses it, too; such videos are recognised by their
  /// content.
  public var extensions: Set<String> {
    Set(Self.byExtension.filter { $0.value == self }.keys)
  }

  private static let byExtension: [String: MediaKind] = {
    let images = """
      jpg jpeg jpe jfif png webp bmp tif tiff jp2 j2k avif heic heif jxl qoi psd exr ppm pgm pbm
      """
    let videos = """
      mp4 m4v mov qt mkv webm avi mpg mpeg m2v vob m2ts 3gp 3g2 wmv asf flv f4v ogv mxf dv h264 \
      264 hevc h265 265 ivf nut y4m mjpeg mjpg rm rmvb gif
      """
    let pairs = [(images, MediaKind.image), (videos, .video)].flatMap { names, kind in
      names.split(separator: " ").map { (String($0), kind) }
    }
    return Dictionary(pairs) { first, _ in first }
  }()
}
