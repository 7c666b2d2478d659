import Foundation
import Synchronization

/// A small HTTP server on the loopback interface that misbehaves as asked.
///
/// Each connection serves one request on a thread of its own.
public final class LoopbackServer: Sendable {
  /// What is answered at a path.
  public enum Route: Sendable {
    /// A file; parts of it if `ranges`, otherwise always the whole.
    case file(Data, ranges: Bool = true)
    /// A file of which every connection brings at most so many bytes before it is closed.
    case cutOff(Data, after: Int, ranges: Bool = true)
    /// A file of which nothing comes after so many bytes, until the client goes.
    case stalling(Data, after: Int)
    /// A file without its length, in chunks.
    case chunked(Data)
    /// A page.
    case page(String)
    /// A status without contents.
    case status(Int)
    /// The way to another address.
    case redirect(String)
    /// No answer at all, until the client goes.
    case silent
  }

  /// A request that came.
  public struct Request: Sendable {
    /// What was asked for.
    public var path: String
    /// The first byte asked for, of a request for the rest of a file.
    public var offset: Int?
    /// The program that asked.
    public var userAgent: String
  }

  /// The port.
  public let port: Int
  private let socket: Int32
  private let routes: Mutex<[String: Route]>
  private let log = Mutex<[Request]>([])

  /// Starts a server on a free port.
  public init(_ routes: [String: Route] = [:]) throws {
    self.routes = Mutex(routes)
    (socket, port) = try Self.listening()
    let server = self
    Thread.detachNewThread { server.accept() }
  }

  /// Closes the port. Connections that are open go on.
  public func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
  }

  deinit { close(socket) }

  /// The address of a path.
  public func address(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  /// Changes what is answered at a path.
  public func set(_ path: String, _ route: Route) {
    routes.withLock { $0[path] = route }
  }

  /// The requests so far, in order.
  public var requests: [Request] { log.withLock { $0 } }

  /// A port that nobody listens on.
  public static func freePort() throws -> Int {
    let (socket, port) = try listening()
    close(socket)
    return port
  }

  private static func listening() throws -> (socket: Int32, port: Int) {
    #if canImport(Darwin)
      let kind = SOCK_STREAM
    #else
      let kind = Int32(SOCK_STREAM.rawValue)
    #endif
    let listener = Foundation.socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 64) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard listener >= 0, status else { throw CocoaError(.fileReadUnknown) }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
  }

  private func accept() {
    while true {
      let connection = Foundation.accept(socket, nil, nil)
      guard connection >= 0 else { return }
      Thread.detachNewThread { [self] in
        serve(connection)
        close(connection)
      }
    }
  }

  private func serve(_ connection: Int32) {
    guard let request = readRequest(connection) else { return }
    log.withLock { $0.append(request) }
    switch routes.withLock({ $0[request.path] }) ?? .status(404) {
    case .file(let data, let ranges):
      sendFile(data, request, ranges: ranges, limit: .max, to: connection)
    case .cutOff(let data, let limit, let ranges):
      sendFile(data, request, ranges: ranges, limit: limit, to: connection)
    case .stalling(let data, let limit):
      sendFile(data, request, ranges: true, limit: limit, to: connection)
      waitForEnd(connection)
    case .chunked(let data):
      send(head(200, ["Transfer-Encoding: chunked"]), to: connection)
      for start in stride(from: 0, to: data.count, by: 1000) {
        let piece = data[
          data.startIndex + start..<min(data.endIndex, data.startIndex + start + 1000)]
        let size = String(piece.count, radix: 16)
        guard send(Data("\(size)\r\n".utf8) + piece + Data("\r\n".utf8), to: connection) else {
          return
        }
      }
      send(Data("0\r\n\r\n".utf8), to: connection)
    case .page(let text):
      let body = Data(text.utf8)
      send(
        head(200, ["Content-Type: text/html", "Content-Length: \(body.count)"]) + body,
        to: connection)
    case .status(let code):
      send(head(code, ["Content-Length: 0"]), to: connection)
    case .redirect(let location):
      send(head(302, ["Location: \(location)", "Content-Length: 0"]), to: connection)
    case .silent:
      waitForEnd(connection)
    }
  }

  private func sendFile(
    _ data: Data, _ request: Request, ranges: Bool, limit: Int, to connection: Int32
  ) {
    var body = data
    var lines: [String] = []
    var code = 200
    if ranges, let offset = request.offset {
      guard offset < data.count else {
        send(
          head(416, ["Content-Range: bytes */\(data.count)", "Content-Length: 0"]), to: connection)
        return
      }
      code = 206
      body = data.dropFirst(offset)
      lines.append("Content-Range: bytes \(offset)-\(data.count - 1)/\(data.count)")
    }
    lines.append("Content-Length: \(body.count)")
    if send(head(code, lines), to: connection) { send(body.prefix(limit), to: connection) }
  }

  private func head(_ code: Int, _ lines: [String]) -> Data {
    Data(
      (["HTTP/1.1 \(code) Word", "Connection: close"] + lines + ["", ""])
        .joined(separator: "\r\n").utf8)
  }

  @discardableResult
  private func send(_ data: Data, to connection: Int32) -> Bool {
    #if canImport(Darwin)
      let flags: Int32 = 0
    #else
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    return data.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = Foundation.send(
          connection, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, flags)
        guard count > 0 else { return false }
        sent += count
      }
      return true
    }
  }

  /// Waits until the client closes the connection.
  private func waitForEnd(_ connection: Int32) {
    var byte: UInt8 = 0
    while recv(connection, &byte, 1, 0) > 0 {}
  }

  private func readRequest(_ connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      guard bytes.count < 16384, recv(connection, &byte, 1, 0) == 1 else { return nil }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return nil }
    func value(_ name: String) -> String? {
      lines.first { $0.lowercased().hasPrefix(name + ":") }.map {
        $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
      }
    }
    let range = value("range").flatMap { range in
      range.hasPrefix("bytes=") && range.hasSuffix("-")
        ? Int(range.dropFirst(6).dropLast()) : nil
    }
    return Request(
      path: String(words[1]), offset: range, userAgent: value("user-agent") ?? "")
  }
}
