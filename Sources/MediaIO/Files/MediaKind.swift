import Foundation

/// What a file holds, by its content.
public enum MediaKind: String, Sendable, CaseIterable {
  /// A picture that `ImageFile` reads.
  case image
  /// A container that `Video` opens. Whether it has a video stream shows when it is opened.
  case video

  /// Looks at the first bytes of a file; nil where they are neither a picture nor a video container.
  ///
  /// - Throws: `MediaError.unreadable`.
  public static func of(_ url: URL) throws(MediaError) -> MediaKind? {
    let head = try RegularFile.head(url, count: FileContent.headSize)
    switch FileContent(head: head, name: url.lastPathComponent) {
    case .picture: return .image
    case .container: return .video
    case nil: return nil
    }
  }

  /// The kind that a file's extension stands for; nil for an extension of neither.
  public init?(extensionOf url: URL) {
    let name = url.pathExtension.lowercased()
    guard let kind = MediaKind.allCases.first(where: { $0.extensions.contains(name) }) else {
      return nil
    }
    self = kind
  }

  /// Extensions that are looked for in folders, in lower case.
  public var extensions: Set<String> {
    switch self {
    case .image: ["jpg", "jpeg", "jpe", "png"]
    case .video:
      [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "m2v", "vob", "ts", "m2ts", "mts",
        "3gp", "3g2", "wmv", "asf", "flv", "ogv", "mxf", "dv", "h264", "264", "hevc", "h265", "265",
        "ivf", "nut", "y4m", "mjpeg", "mjpg", "rm", "rmvb", "gif",
      ]
    }
  }
}
