import DeepfakeCore

/// The information that a video file states about its video stream. It can be wrong; only decoding
/// shows the truth.
public struct VideoInfo: Sendable, Equatable {
  /// The width in pixels as shown, after rotation and after stretching pixels that are not square.
  public var width: Int
  /// The height in pixels as shown, after rotation and after stretching pixels that are not square.
  public var height: Int
  /// The clockwise rotation of stored frames for showing them, in degrees: 0, 90, 180 or 270.
  /// Decoded frames are already rotated.
  public var rotation: Int
  /// FFmpeg's short name of the codec: `h264`, `hevc`, `vp9`, ...
  public var codec: String
  /// FFmpeg's short name of the container: `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`, ...
  public var container: String
  /// The duration in seconds; nil if the container does not state it.
  public var duration: Double?
  /// The average number of frames per second; nil if unknown. If the container has timestamps, the
  /// times of frames come from these and not from this rate.
  public var frameRate: Double?
  /// The number of frames that the container states, corrected by its index if that lists every
  /// frame; nil if it does not state one.
  public var containerFrames: Int?
  /// Whether there is a sound stream.
  public var hasAudio: Bool
  /// The number of streams of all kinds in the container.
  public var streamCount: Int
  /// Messages about the decoding of this video, for users; usually empty.
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
  /// The index in presentation order, starting at 0.
  public var index: Int
  /// The time in seconds, as a player shows it. It starts at 0, or later if sound starts more than
  /// a tenth of a second before the picture. Where the stream's clock jumps, the time continues
  /// without a jump. A frame without a timestamp follows one frame duration after the frame before
  /// it.
  public var time: Double
  /// The pixels, turned upright.
  public var image: Image
}

/// The result of decoding a whole video.
public struct DecodeSummary: Sendable, Equatable {
  /// The number of decoded frames.
  public var decodedFrames = 0
  /// The number of packets that could not be decoded.
  public var damagedPackets = 0
  /// The number of decoded frames that are known to be partly wrong.
  public var damagedFrames = 0
  /// Whether the file ends, or can no longer be read, before the end of its content.
  public var isTruncated = false
  /// The problems, as messages for users; empty for an intact file.
  public var warnings: [String] = []

  /// Whether the whole content was present and decoded without damage.
  public var isIntact: Bool { damagedPackets == 0 && damagedFrames == 0 && !isTruncated }
}
