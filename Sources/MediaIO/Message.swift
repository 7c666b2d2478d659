import CMediaShims

/// A buffer into which C code writes a message.
struct Message {
  private var bytes = [CChar](repeating: 0, count: Int(DF_MESSAGE_SIZE))

  /// Calls `body` with the buffer, and returns the result of `body`.
  mutating func fill<R>(_ body: (UnsafeMutablePointer<CChar>?) -> R) -> R {
    bytes.withUnsafeMutableBufferPointer { body($0.baseAddress) }
  }

  /// The text of the message; empty if nothing was written.
  var text: String {
    String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// FFmpeg's text for an error number.
  static func ffmpeg(_ error: Int32) -> String {
    var message = Message()
    message.fill { df_av_error_text(error, $0) }
    return message.text
  }

  /// The error that FFmpeg logged last on this thread, or else its text for the error number.
  static func ffmpegLog(_ error: Int32) -> String {
    let logged = takeLog()
    return logged.isEmpty ? ffmpeg(error) : logged
  }

  /// The errors that FFmpeg logged on this thread since the last call; it may be empty.
  static func takeLog() -> String {
    var message = Message()
    message.fill { df_av_log_take($0) }
    return message.text
  }
}
