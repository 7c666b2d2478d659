import CFFmpeg
import DeepfakeCore
import Foundation

/// Writes pictures as a video without sound: H.264 where FFmpeg has an encoder for it, else MPEG-4,
/// both as yuv420p.
///
/// The file is written under a temporary name beside its own, hidden, and gets its name in
/// `finish`; a writer that is dropped before leaves nothing behind. Pictures go to the encoder one
/// by one, so memory does not grow with their number.
package final class VideoWriter {
  /// The extensions that are written; each names its container.
  package static let extensions = ["mp4", "m4v", "mov", "mkv"]

  private let url: URL
  private let temporary: URL
  private let file: String
  private let width: Int
  private let height: Int
  private let step: Int64
  private let muxer: Muxer
  private let encoder: Encoder
  private var lastTick: Int64?
  /// Ticks by which all times are moved, so that none is below zero, which players would not show.
  private var shift = 0.0
  private var isFinished = false

  /// Seconds between two pictures at most; timestamps further apart come from damaged files.
  private static let longestStep = 3600.0
  /// The latest first time in seconds; a transport stream's clock goes to 95,444.
  private static let latestStart = 100_000.0

  /// Begins a video.
  ///
  /// - Parameters:
  ///   - url: the file; `extensions` lists what it may end in. One of that name is replaced.
  ///   - width: pixels across; an odd number becomes one more, the last column being repeated.
  ///   - height: pixels down; likewise.
  ///   - frameRate: pictures a second, for those that come without a time of their own.
  ///   - threadCount: threads for the encoder.
  /// - Throws: `MediaError.unwritable` where the folder is missing or may not be written to, where
  ///   FFmpeg has no encoder, or none for so large a picture.
  package convenience init(
    _ url: URL, width: Int, height: Int, frameRate: Double,
    threadCount: Int = Parallel.threadCount
  ) throws(MediaError) {
    try self.init(
      url, width: width, height: height, frameRate: frameRate, threadCount: threadCount,
      encoders: Encoder.names)
  }

  /// Begins a video with the first of `encoders`, by FFmpeg's names, that there is and that opens;
  /// `crf` is libx264's constant rate factor.
  package init(
    _ url: URL, width: Int, height: Int, frameRate: Double,
    threadCount: Int = Parallel.threadCount, encoders: [String], crf: Int = 20
  ) throws(MediaError) {
    precondition(
      width > 0 && height > 0 && frameRate > 0 && frameRate.isFinite,
      "VideoWriter: \(width)x\(height) pixels, \(frameRate) pictures a second")
    file = url.relativePath
    guard let format = VideoWriter.container(of: url) else {
      throw .unwritable(
        file: url.relativePath,
        reason: "name it .\(VideoWriter.extensions.joined(separator: ", ."))")
    }
    guard width <= Decoder.sideLimit, height <= Decoder.sideLimit else {
      throw .unwritable(
        file: url.relativePath, reason: "\(width)x\(height) is too large; \(Video.sizeLimit)")
    }
    self.url = url
    self.width = width
    self.height = height
    step = Int64(max(1, (Double(Encoder.ticks) / frameRate).rounded()))
    let name = ".\(url.lastPathComponent).\(UInt32.random(in: 0...(.max))).partial"
    let temporary = url.deletingLastPathComponent().appendingPathComponent(name)
    self.temporary = temporary
    let muxer = try Muxer(temporary, file: file, format: format)
    do throws(MediaError) {
      encoder = try Encoder(
        file: file, width: width + width % 2, height: height + height % 2, frameRate: frameRate,
        headerInContainer: muxer.wantsHeader, threadCount: threadCount, names: encoders, crf: crf)
      try muxer.start(encoder.context)
    } catch {
      unlink(temporary.path)
      throw error
    }
    self.muxer = muxer
  }

  deinit {
    if !isFinished { unlink(temporary.path) }
  }

  private static func container(of url: URL) -> String? {
    switch url.pathExtension.lowercased() {
    case "mp4", "m4v": "mp4"
    case "mov": "mov"
    case "mkv": "matroska"
    default: nil
    }
  }

  /// Adds a picture. One of another size is scaled to fit, and centred on black.
  ///
  /// - Parameter time: seconds at which it is shown; one step of the frame rate after the picture
  ///   before if not given. Times must rise: one that does not is moved behind the picture before.
  ///   Where the first is below zero, all are moved so that it is zero. Containers keep times to 17
  ///   microseconds, Matroska to a millisecond.
  /// - Throws: `MediaError.unwritable` where encoding fails or the disk is full.
  package func append(_ image: Image, time: Double? = nil) throws(MediaError) {
    precondition(!isFinished, "VideoWriter: \(file) is finished")
    let tick = nextTick(time)
    lastTick = tick
    let base = encoder.context.pointee.time_base
    try encoder.encode(fitted(image), at: tick) { packet throws(MediaError) in
      try write(packet, base)
    }
  }

  /// Ends the video and gives the file its name. Nothing can be added afterwards.
  ///
  /// - Throws: `MediaError.unwritable` where there was no picture, encoding fails or the disk is
  ///   full.
  package func finish() throws(MediaError) {
    precondition(!isFinished, "VideoWriter: \(file) is finished")
    guard lastTick != nil else {
      throw .unwritable(file: file, reason: "there is no picture to write")
    }
    let base = encoder.context.pointee.time_base
    try encoder.encode(nil) { packet throws(MediaError) in try write(packet, base) }
    try muxer.finish()
    guard rename(temporary.path, url.path) == 0 else {
      throw .unwritable(file: file, reason: String(cString: strerror(errno)))
    }
    isFinished = true
  }

  private func write(_ packet: Packet, _ base: AVRational) throws(MediaError) {
    // The last picture would be shown for no time at all.
    if packet.pointer.pointee.duration == 0 { packet.pointer.pointee.duration = step }
    try muxer.write(packet, timeBase: base)
  }

  private func nextTick(_ time: Double?) -> Int64 {
    let second = Double(Encoder.ticks)
    guard let lastTick else {
      guard let time, abs(time) <= VideoWriter.latestStart else { return 0 }
      shift = max(0, -time) * second
      return Int64((time * second + shift).rounded())
    }
    guard let time, time.isFinite else { return lastTick + step }
    let ticks = (time * second + shift).rounded()
    guard ticks - Double(lastTick) <= VideoWriter.longestStep * second else {
      return lastTick + step
    }
    return ticks > Double(lastTick) ? Int64(ticks) : lastTick + 1
  }

  private func fitted(_ image: Image) -> Image {
    if image.width == width, image.height == height { return image }
    let scale = min(Double(width) / Double(image.width), Double(height) / Double(image.height))
    let (wide, high) = (
      min(width, max(1, Int((Double(image.width) * scale).rounded()))),
      min(height, max(1, Int((Double(image.height) * scale).rounded())))
    )
    return image.resized(width: wide, height: high, method: .area)
      .cropped(
        x: -((width - wide) / 2), y: -((height - high) / 2), width: width, height: height)
  }
}
