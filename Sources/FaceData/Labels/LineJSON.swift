import Foundation

/// JSON values with their line numbers. As in Python's `json`, `NaN`, `Infinity` and `-Infinity`
/// count as numbers, although standard JSON does not have them.
///
/// The parser allocates nothing by sizes that a file states: memory is at most a small multiple of
/// the file's size, and the depth is limited.
struct LineJSON: Sendable {
  enum Content: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([LineJSON])
    /// If a key occurs twice, the later value counts.
    case object([String: LineJSON])
  }

  let content: Content
  /// The line on which the value begins, from 1.
  let line: Int

  /// Why a file is not valid JSON.
  struct Problem: Error {
    var line: Int
    var reason: String
  }

  /// Maximum depth of nested values.
  private static let depthLimit = 64

  /// Parses a file with exactly one value. A UTF-8 byte order mark is skipped.
  ///
  /// - Throws: `Problem` if the data is not valid JSON or something follows the value.
  static func read(_ data: Data) throws(Problem) -> LineJSON {
    var parser = Parser(bytes: Array(data))
    if parser.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.position == parser.bytes.count else {
      throw parser.problem("text follows the end")
    }
    return value
  }

  var isNull: Bool { if case .null = content { true } else { false } }

  /// The value for messages.
  var shown: String {
    switch content {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value) where value.isNaN: "NaN"
    case .number(let value): Int(exactly: value).map { "\($0)" } ?? "\(value)"
    case .text(let text): text
    case .list: "a list"
    case .object: "an object"
    }
  }

  private struct Parser {
    let bytes: [UInt8]
    var position = 0
    private var line = 1

    init(bytes: [UInt8]) {
      self.bytes = bytes
    }

    func problem(_ reason: String) -> Problem { Problem(line: line, reason: reason) }

    mutating func skipSpace() {
      while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
        if bytes[position] == 0x0A { line += 1 }
        position += 1
      }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    private mutating func take(word: String) -> Bool {
      guard bytes[position...].starts(with: word.utf8) else { return false }
      position += word.utf8.count
      return true
    }

    mutating func value(depth: Int) throws(Problem) -> LineJSON {
      guard depth < depthLimit else { throw problem("it is nested too deeply") }
      skipSpace()
      guard position < bytes.count else { throw problem("the file ends too early") }
      let start = line
      if take("{") {
        return LineJSON(content: .object(try members(depth: depth)), line: start)
      }
      if take("[") {
        var list: [LineJSON] = []
        if take("]") { return LineJSON(content: .list(list), line: start) }
        repeat { list.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw unexpected() }
        return LineJSON(content: .list(list), line: start)
      }
      if bytes[position] == UInt8(ascii: "\"") {
        return LineJSON(content: .text(try text()), line: start)
      }
      for (word, content) in words where take(word: word) {
        return LineJSON(content: content, line: start)
      }
      return LineJSON(content: .number(try number()), line: start)
    }

    private var words: [(String, Content)] {
      [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("NaN", .number(.nan)),
        ("Infinity", .number(.infinity)), ("-Infinity", .number(-.infinity)),
      ]
    }

    private mutating func members(depth: Int) throws(Problem) -> [String: LineJSON] {
      var members: [String: LineJSON] = [:]
      if take("}") { return members }
      repeat {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
          throw unexpected()
        }
        let key = try text()
        guard take(":") else { throw unexpected() }
        members[key] = try value(depth: depth + 1)
      } while take(",")
      guard take("}") else { throw unexpected() }
      return members
    }

    private func unexpected() -> Problem {
      guard position < bytes.count else { return problem("the file ends too early") }
      let rest = String(decoding: bytes[position...].prefix(12), as: UTF8.self)
      return problem("'\(rest.prefix { !$0.isNewline })' is not expected here")
    }

    private mutating func number() throws(Problem) -> Double {
      let start = position
      while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) {
        position += 1
      }
      let digits = String(decoding: bytes[start..<position], as: UTF8.self)
      guard let number = Double(digits) else {
        position = start
        throw unexpected()
      }
      return number
    }

    private mutating func text() throws(Problem) -> String {
      let start = position
      position += 1
      var isEscaped = false
      while position < bytes.count {
        let byte = bytes[position]
        position += 1
        if byte == 0x0A { throw problem("a string has no closing quote") }
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          let whole = bytes[start..<position]
          let plain = whole.dropFirst().dropLast()
          if !plain.contains(UInt8(ascii: "\\")),
            let text = String(validating: plain, as: UTF8.self)
          {
            return text
          }
          // Foundation decodes the escapes.
          guard let text = try? JSONDecoder().decode(String.self, from: Data(whole)) else {
            throw problem("a string is not valid JSON, or not UTF-8")
          }
          return text
        }
      }
      throw problem("the file ends inside a string")
    }
  }
}
