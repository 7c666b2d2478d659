import DeepfakeCore
import Foundation
import MediaIO

/// Which frames of a video are looked at.
package enum FrameChoice: Sendable, Equatable {
  /// So many, spread evenly over all; all if there are fewer.
  case spread(Int)
  /// Every one.
  case all
}

extension FrameChoice {
  /// Frames that will come of a video, as far as the container tells.
  fileprivate func expected(in video: VideoInfo) -> Double? {
    let duration = video.duration.flatMap { duration in video.frameRate.map { duration * $0 } }
    let all = video.containerFrames.map(Double.init) ?? duration
    switch self {
    case .spread(let count): return min(Double(count), max(1, all ?? .infinity))
    case .all: return all.map { max(1, $0) }
    }
  }
}

/// A frame of a video, or an image as the only frame of itself.
struct MediaFrame {
  /// Its place in decoded order, from 0.
  let index: Int
  /// Seconds; nil for an image.
  let time: Double?
  var image: Image
  /// The part of the frames to be looked at that has come with this one, 0 to 1; 0 where their
  /// number is unknown.
  let place: Double

  /// Calls `body` with the chosen frames of a video, or with the image.
  ///
  /// - Returns: what was odd about the file.
  static func read(
    _ file: URL, _ choice: FrameChoice, _ body: (MediaFrame) throws -> Void
  ) throws -> [String] {
    switch try MediaKind.of(file) {
    case .image:
      try body(MediaFrame(index: 0, time: nil, image: try ImageFile.read(file), place: 1))
      return []
    case .video:
      let video = try Video(file)
      let expected = choice.expected(in: video.info)
      var count = 0.0
      func take(_ frame: VideoFrame) throws {
        count += 1
        try body(
          MediaFrame(
            index: frame.index, time: frame.time, image: frame.image,
            place: expected.map { min(1, count / $0) } ?? 0))
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
