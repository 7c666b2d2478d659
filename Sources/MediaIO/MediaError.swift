/// An error about a picture or video. The description names the file, the cause and the solution.
public enum MediaError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is missing, must not be read, or is not a regular file.
  case unreadable(file: String, reason: String)
  /// The file is intact but has a format that is not supported, or is neither a picture nor a
  /// video.
  case unsupported(file: String, found: String)
  /// The file's content contradicts its format.
  case damaged(file: String, reason: String)
  /// The file ends before the picture does, or before a video's first frame.
  case truncated(file: String, reason: String)
  /// The picture, or each frame of the video, has more pixels than the limit.
  case tooLarge(file: String, width: Int, height: Int, limit: String)
  /// The file is a container without a video stream.
  case noVideo(file: String, found: String)
  /// The video has a video stream, but no frame could be decoded.
  case noFrames(file: String, reason: String)
  /// The file cannot be written.
  case unwritable(file: String, reason: String)
  /// A path or pattern matches no file.
  case nothingFound(path: String, reason: String)

  /// The message for users.
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason)"
    case .unsupported(let file, let found):
      "\(file): cannot be decoded: \(found). Convert it to PNG, JPEG or MP4 (H.264) first."
    case .damaged(let file, let reason):
      "\(file): is damaged: \(reason). Use an undamaged copy of the file."
    case .truncated(let file, let reason):
      "\(file): is truncated: \(reason). Use a complete copy of the file."
    case .tooLarge(let file, let width, let height, let limit):
      "\(file): \(width)x\(height) is too large: \(limit). Scale it down first."
    case .noVideo(let file, let found):
      "\(file): has no video: \(found). Use a file with a video stream."
    case .noFrames(let file, let reason):
      "\(file): no frame could be decoded: \(reason). Use an undamaged copy of the file."
    case .unwritable(let file, let reason):
      "\(file): cannot be written: \(reason)"
    case .nothingFound(let path, let reason):
      "\(path): \(reason)"
    }
  }
}
