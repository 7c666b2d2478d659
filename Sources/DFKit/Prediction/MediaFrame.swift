import DeepfakeCore
import Foundation
import MediaIO

/// Which frames of a video are looked at.
public enum FrameChoice: Sendable, Equatable {
  /// So many, spread evenly over all; all if there are fewer.
  case spread(Int)
  /// Every one.
  case all
}

/// A frame of a video, or an image as the only frame of itself.
struct MediaFrame {
  /// Seconds; nil for an image.
  let time: Double?
  let image: Image

  /// Calls `body` with the chosen frames of a video, or with the image.
  ///
  /// - Returns: what was odd about the file.
  static func read(
    _ file: URL, _ choice: FrameChoice, _ body: (MediaFrame) throws -> Void
  ) throws -> [String] {
    switch try MediaKind.of(file) {
    case .image:
      try body(MediaFrame(time: nil, image: try ImageFile.read(file)))
      return []
    case .video:
      let video = try Video(file)
      func take(_ frame: VideoFrame) throws {
        try body(MediaFrame(time: frame.time, image: frame.image))
      }
      let summary =
        switch choice {
        case .spread(let count): try video.evenlySpacedFrames(count, take)
        case .all: try video.forEachFrame(take)
        }
      return video.info.warnings + summary.warnings
    case nil:
      throw MediaError.unsupported(
        file: file.relativePath, found: "it is neither a picture nor a video that FFmpeg knows")
    }
  }
}
