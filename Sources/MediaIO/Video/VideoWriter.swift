import CFFmpeg
import DeepfakeCore
import Foundation

/// A writer of pictures as a video without sound: H.264 if FFmpeg has an encoder for it, otherwise
/// MPEG-4, both as yuv420p.
///
/// The file is written under a hidden temporary name in the same folder and renamed by `finish`. A
/// writer that is released before `finish` leaves no file. Pictures are encoded one by one, so
/// memory does not grow with their number.
package final class VideoWriter {
  /// The supported extensions; each selects its container.
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
  /// The ticks added to all times, so that none is negative. Players would not show negative times.
  private var shift = 0.0
  private var isFinished = false

  /// The longest time between two pictures in seconds; longer ones come from damaged files.
  private static let longestStep = 3600.0
  /// The latest time of the first picture in seconds; a transport stream's clock reaches 95,444.
  private static let latestStart = 100_000.0

  /// Opens a video for writing.
  ///
  /// - Parameters:
  ///   - url: The file, with one of `extensions`; an existing one is replaced.
  ///   - width: The width in pixels. If it is odd, the video repeats the last column once.
  ///   - height: The height in pixels. If it is odd, the video repeats the last row once.
  ///   - frameRate: The pictures per second, for pictures without a time.
  ///   - threadCount: The number of threads of the encoder.
  /// - Throws: `MediaError.unwritable` if the folder is missing or not writable, or if FFmpeg has
  ///   no encoder, or none for pictures of this size.
  package convenience init(
    _ url: URL, width: Int, height: Int, frameRate: Double,
    threadCount: Int = Parallel.threadCount
  ) throws(MediaError) {
    try self.init(
      url, width: width, height: height, frameRate: frameRate, threadCount: threadCount,
      encoders: Encoder.names)
  }

  /// Opens a video for writing with the first of `encoders` (FFmpeg's names) that can be opened.
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
        reason: "give it a name that ends in ."
          + VideoWriter.extensions.joined(separator: ", ."))
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

  /// Adds a picture. If it has another size, it is scaled to fit and centred on black.
  ///
  /// - Parameters:
  ///   - image: The picture.
  ///   - time: The time at which it is shown, in seconds; nil: one step of the frame rate after the
  ///     picture before. Times must increase; a time that does not is moved directly after the
  ///     picture before. If the first time is negative, all times are moved so that the first is
  ///     zero. Containers store times with a precision of 17 microseconds, Matroska of a
  ///     millisecond.
  /// - Throws: `MediaError.unwritable` if encoding fails or the disk is full.
  package func append(_ image: Image, time: Double? = nil) throws(MediaError) {
    precondition(!isFinished, "VideoWriter: \(file) is finished")
    let tick = nextTick(time)
    lastTick = tick
    let base = encoder.context.pointee.time_base
    try encoder.encode(fitted(image), at: tick) { packet throws(MediaError) in
      try write(packet, base)
    }
  }

  /// Completes the video and gives the file its name. Nothing can be added afterwards.
  ///
  /// - Throws: `MediaError.unwritable` if no picture was added, encoding fails or the disk is full.
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
    // Otherwise the last picture would have a duration of zero.
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
