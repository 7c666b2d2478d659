import CMediaShims

/// A message that C code writes into room given to it.
struct Message {
  private var bytes = [CChar](repeating: 0, count: Int(DF_MESSAGE_SIZE))

  /// Calls `body` with the room, and returns what it returns.
  mutating func fill<R>(_ body: (UnsafeMutablePointer<CChar>?) -> R) -> R {
    bytes.withUnsafeMutableBufferPointer { body($0.baseAddress) }
  }

  /// The text; empty where nothing was written.
  var text: String {
    String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// FFmpeg's words for an error number.
  static func ffmpeg(_ error: Int32) -> String {
    var message = Message()
    message.fill { df_av_error_text(error, $0) }
    return message.text
  }

  /// What FFmpeg last logged as an error on this thread, or its words for the error number.
  static func ffmpegLog(_ error: Int32) -> String {
    let logged = takeLog()
    return logged.isEmpty ? ffmpeg(error) : logged
  }

  /// What FFmpeg logged as an error on this thread since this was last called; may be empty.
  static func takeLog() -> String {
    var message = Message()
    message.fill { df_av_log_take($0) }
    return message.text
  }
}
