import DeepfakeCore

/// What a video file says of its video stream. Containers can be wrong; decoding tells.
public struct VideoInfo: Sendable, Equatable {
  /// Pixels across, as shown: after stretching what is not square, and rotation.
  public var width: Int
  /// Pixels down, as shown: after stretching what is not square, and rotation.
  public var height: Int
  /// Degrees clockwise by which stored frames are turned for showing: 0, 90, 180 or 270. Frames
  /// come turned.
  public var rotation: Int
  /// The codec's short name in FFmpeg: `h264`, `hevc`, `vp9`, ...
  public var codec: String
  /// The container's short name in FFmpeg: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, ...
  public var container: String
  /// Seconds; nil where the container does not say.
  public var duration: Double?
  /// Frames a second on average; nil where unknown. Times of frames never come from it where the
  /// container gives them.
  public var frameRate: Double?
  /// Frames that the container claims to hold, by its index where that names each; nil where it
  /// does not say.
  public var containerFrames: Int?
  /// Whether there is a sound stream.
  public var hasAudio: Bool
  /// Streams of every kind in the container.
  public var streamCount: Int
  /// Things worth knowing about how frames are decoded, in words; usually empty.
  public var warnings: [String]
}

/// One decoded frame.
///
/// ```swift
/// try Video(clip).forEachFrame(stride: 30) { frame in
///   let file = folder.appendingPathComponent("\(frame.index).png")
///   try ImageFile.write(frame.image, to: file)
/// }
/// ```
public struct VideoFrame: Sendable {
  /// Its place in decoded (shown) order, from 0.
  public var index: Int
  /// Seconds into the video, as a player shows them: from 0, or from later where sound begins more
  /// than a tenth of a second before the picture. Where the stream's clock jumps, time runs on.
  /// Where a frame has no timestamp, it comes one frame's duration after the frame before it.
  public var time: Double
  /// The pixels, the right way up.
  public var image: Image
}

/// What became of a whole video's decoding.
public struct DecodeSummary: Sendable, Equatable {
  /// Frames that were decoded.
  public var decodedFrames = 0
  /// Packets that the decoder refused.
  public var damagedPackets = 0
  /// Decoded frames that are known to be wrong in parts.
  public var damagedFrames = 0
  /// Whether the file ends, or can no longer be read, before its content should.
  public var isTruncated = false
  /// What went wrong, in words; empty for a sound file.
  public var warnings: [String] = []

  /// Whether everything was there and decoded.
  public var isSound: Bool { damagedPackets == 0 && damagedFrames == 0 && !isTruncated }
}
