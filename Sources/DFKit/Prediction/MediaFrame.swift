import DeepfakeCore
import Foundation
import MediaIO

/// Which frames of a video are used.
package enum FrameChoice: Sendable, Equatable {
  /// This many frames, evenly spread; all frames if the video has fewer.
  case spread(Int)
  /// Every frame.
  case all
}

extension FrameChoice {
  /// The expected number of chosen frames, by the container's data; nil if unknown.
  fileprivate func expected(in video: VideoInfo) -> Double? {
    let duration = video.duration.flatMap { duration in video.frameRate.map { duration * $0 } }
    let all = video.containerFrames.map(Double.init) ?? duration
    switch self {
    case .spread(let count): return min(Double(count), max(1, all ?? .infinity))
    case .all: return all.map { max(1, $0) }
    }
  }
}

/// A frame of a video, or an image as its only frame.
struct MediaFrame {
  /// The number of the frame in the order of decoding, from 0.
  let index: Int
  /// In seconds; nil for an image.
  let time: Double?
  var image: Image
  /// The later frame whose difference was asked for; nil if there is none.
  var later: VideoFrame?
  /// The fraction of the chosen frames that have been read, including this one. 0 if their number
  /// is unknown.
  let place: Double

  /// Calls `body` with each chosen frame of a video, or with the image.
  ///
  /// - Parameter difference: The time in seconds to the later frame that comes with each evenly
  ///   spread frame; nil: none is read.
  /// - Returns: Warnings about the file.
  /// - Throws: `MediaError` if the file cannot be read, and the errors of `body`.
  static func read(
    _ file: URL, _ choice: FrameChoice, withLaterBy difference: Float? = nil,
    _ body: (MediaFrame) throws -> Void
  ) throws -> [String] {
    switch try MediaKind.of(file) {
    case .image:
      try body(MediaFrame(index: 0, time: nil, image: try ImageFile.read(file), place: 1))
      return []
    case .video:
      let video = try Video(file)
      let expected = choice.expected(in: video.info)
      var count = 0.0
      func take(_ frame: VideoFrame, _ later: VideoFrame?) throws {
        count += 1
        try body(
          MediaFrame(
            index: frame.index, time: frame.time, image: frame.image, later: later,
            place: expected.map { min(1, count / $0) } ?? 0))
      }
      let summary =
        switch (choice, difference) {
        case (.spread(let count), let difference?):
          try video.evenlySpacedFrames(count, withLaterBy: Double(difference), take)
        case (.spread(let count), nil):
          try video.evenlySpacedFrames(count) { try take($0, nil) }
        case (.all, _): try video.forEachFrame { try take($0, nil) }
        }
      return video.info.warnings + summary.warnings
    case nil:
      throw MediaError.unsupported(
        file: file.relativePath, found: "it is neither a picture nor a video that FFmpeg supports")
    }
  }
}
