import CFFmpeg
import CMediaShims
import Foundation

/// A file on an HTTP server, read in order through FFmpeg's `http` and `https` protocols. The
/// program links FFmpeg anyway.
///
/// Redirects are followed, but never from `https` to `http`. Certificates are checked, and
/// `http_proxy` and `no_proxy` are respected. Waiting ends if the task is cancelled or no data
/// arrives within the time limit.
package final class RemoteFile {
  /// The address for messages, without passwords and queries.
  package let address: String
  /// The size of the whole file in bytes; nil if the server does not state it.
  package let size: Int?
  private let context: UnsafeMutablePointer<AVIOContext>

  /// Requests the file from byte `offset` on.
  ///
  /// - Parameters:
  ///   - url: The address, `http` or `https`.
  ///   - offset: The first byte to read, to resume a download.
  ///   - timeLimit: The time without an answer or data after which the request fails, in seconds.
  ///   - userAgent: The name of the program in the request.
  /// - Throws: `RemoteError`; its kind is `cannotResume` if the server cannot send the file from
  ///   `offset` on.
  package init(
    _ url: URL, from offset: Int = 0, timeLimit: Double, userAgent: String
  ) throws(RemoteError) {
    address = Self.shown(url)
    guard let scheme = url.scheme?.lowercased(), ["http", "https"].contains(scheme),
      url.host()?.isEmpty == false
    else { throw RemoteError(address, .refused, "only http and https addresses can be fetched") }
    df_av_log_collect()
    _ = Message.takeLog()
    var options = Self.options(offset: offset, timeLimit: timeLimit, userAgent: userAgent)
    defer { av_dict_free(&options) }
    // FFmpeg calls this on the waiting thread, so it sees the current task.
    var interruption = AVIOInterruptCB(callback: { _ in Task.isCancelled ? 1 : 0 }, opaque: nil)
    var context: UnsafeMutablePointer<AVIOContext>?
    let status = avio_open2(&context, url.absoluteString, AVIO_FLAG_READ, &interruption, &options)
    guard status >= 0, let context else {
      // FFmpeg's error if the server sends the file from its start instead of from `offset`; and
      // the server's error if the file is shorter than that (416).
      if offset > 0, status == -EPERM || df_av_http_status(status) == 499 {
        throw RemoteError(address, .cannotResume, "the server cannot resume a download")
      }
      throw RemoteError(address, opening: status, log: Message.takeLog(), timeLimit: timeLimit)
    }
    self.context = context
    let found = avio_size(context)
    size = found >= 0 ? Int(found) : nil
    if scheme == "https", Self.location(context)?.lowercased().hasPrefix("https:") == false {
      throw RemoteError(
        address, .refused, "the server redirects to an address that is not encrypted")
    }
  }

  deinit {
    var open: UnsafeMutablePointer<AVIOContext>? = context
    avio_closep(&open)
  }

  /// Reads the bytes that have arrived, at most as many as fit into the buffer. Returns 0 at the
  /// end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(RemoteError) -> Int {
    let room = Int32(min(buffer.count, 1 << 20))
    let status = avio_read_partial(
      context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), room)
    if status >= 0 { return Int(status) }
    if status == df_av_error_end() { return 0 }
    // If the length is unknown, the end of the connection is the end of the file. Some versions of
    // FFmpeg report this as an error.
    if size == nil, status == -EIO, !Task.isCancelled { return 0 }
    throw RemoteError(address, reading: status)
  }

  private static func options(
    offset: Int, timeLimit: Double, userAgent: String
  ) -> OpaquePointer? {
    var options: OpaquePointer?
    func set(_ key: String, _ value: String) { av_dict_set(&options, key, value, 0) }
    set("protocol_whitelist", "http,https,httpproxy,tls,tcp")
    set("tls_verify", "1")
    if let file = certificates() { set("ca_file", file) }
    set("rw_timeout", "\(Int(timeLimit * 1e6))")
    set("user_agent", userAgent)
    set("icy", "0")
    if offset > 0 { set("offset", "\(offset)") }
    return options
  }

  /// The certificates to trust. Some TLS libraries that FFmpeg can use do not know the system's.
  private static func certificates() -> String? {
    let candidates = [
      ProcessInfo.processInfo.environment["SSL_CERT_FILE"], "/etc/ssl/certs/ca-certificates.crt",
      "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
    ]
    return candidates.compactMap { $0 }.first { FileManager.default.isReadableFile(atPath: $0) }
  }

  /// The address of the file after all redirects.
  private static func location(_ context: UnsafeMutablePointer<AVIOContext>) -> String? {
    var value: UnsafeMutablePointer<UInt8>?
    guard av_opt_get(context, "location", AV_OPT_SEARCH_CHILDREN, &value) >= 0, let value else {
      return nil
    }
    defer { av_free(value) }
    return String(cString: value)
  }

  private static func shown(_ url: URL) -> String {
    guard var parts = URLComponents(url: url, resolvingAgainstBaseURL: false) else {
      return url.relativePath
    }
    (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
    return parts.string ?? url.relativePath
  }
}

/// The reason why a file could not be fetched.
package struct RemoteError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of error, which decides the next step.
  package enum Kind: Sendable, Equatable {
    /// The task was cancelled.
    case cancelled
    /// The server cannot send the rest of a file.
    case cannotResume
    /// The server or this program refuses the request; trying again does not help.
    case refused
    /// The connection failed or broke; trying again may help.
    case connection
  }

  package var address: String
  package var kind: Kind
  /// The cause and, if there is one, the solution.
  package var reason: String

  init(_ address: String, _ kind: Kind, _ reason: String) {
    self.address = address
    self.kind = kind
    self.reason = reason
  }

  /// The error for a file that ended before all its bytes arrived.
  package static func cutOff(_ address: String, at count: Int, of total: Int) -> RemoteError {
    RemoteError(
      address, .connection, "the connection was lost after \(count) of \(total) bytes")
  }

  /// The error for FFmpeg's status after a request.
  fileprivate init(_ address: String, opening status: Int32, log: String, timeLimit: Double) {
    self.init(address, .connection, "")
    if Task.isCancelled {
      (kind, reason) = (.cancelled, "cancelled")
      return
    }
    switch df_av_http_status(status) {
    case 0: break
    case 404:
      (kind, reason) = (.refused, "the server has no such file (404); it may have been moved")
      return
    case 401, 403:
      (kind, reason) = (.refused, "access denied (401 or 403)")
      return
    case 599:
      (kind, reason) = (.refused, "server error (5xx); try again later")
      return
    default:
      (kind, reason) = (.refused, "the server refused the request (4xx)")
      return
    }
    switch -status {
    case ECONNREFUSED: reason = "the connection was refused"
    case ETIMEDOUT: reason = "no answer within \(Int(timeLimit.rounded(.up))) seconds"
    case ENETUNREACH, EHOSTUNREACH: reason = "the server cannot be reached; is there a network?"
    case EIO where log.contains("resolve"):
      reason = "the server's name is not known; is there a network? (\(log))"
    case EIO where log.contains("ertificate"):
      (kind, reason) = (.refused, "the server's certificate is not valid (\(log))")
    case EIO where log.isEmpty:
      reason = "the server closed the connection or redirects in a loop"
    default: reason = log.isEmpty ? Message.ffmpeg(status) : log
    }
  }

  /// The error for FFmpeg's status while reading a file.
  fileprivate init(_ address: String, reading status: Int32) {
    if Task.isCancelled {
      self.init(address, .cancelled, "cancelled")
    } else if status == -ETIMEDOUT {
      self.init(address, .connection, "the server has stopped sending")
    } else {
      self.init(address, .connection, "the connection was lost")
    }
  }

  package var description: String { "\(address): cannot be fetched: \(reason)." }
}
