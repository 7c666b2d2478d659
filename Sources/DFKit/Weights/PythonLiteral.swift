import DeepfakeCore
import Foundation

/// Reads the bytes of a literal in a Python file: `NAME = b'...'` on a line of its own.
///
/// The file is only parsed as text and never executed. Only the escapes of bytes literals are
/// supported.
package struct PythonLiteral {
  /// The name of the file in error messages.
  package let file: String
  /// The variable to which the literal is assigned.
  package let name: String

  package init(file: String, name: String) {
    self.file = file
    self.name = name
  }

  /// The bytes of the literal. They are counted before memory is allocated.
  ///
  /// - Throws: `WeightsError.unreadable` if there is no such literal, it is not closed, it has an
  ///   invalid escape, or it has more than `limit` bytes.
  package func bytes(in text: Data, limit: Int) throws(WeightsError) -> Data {
    let found: Result<Data, WeightsError> = text.withUnsafeBytes { bytes in
      do throws(WeightsError) {
        let body = try body(bytes)
        var count = 0
        try scan(body) { _ in count += 1 }
        guard count <= limit else {
          throw failure("\(name) has \(count) bytes, more than the \(limit) expected")
        }
        var data = Data(capacity: count)
        try scan(body) { data.append($0) }
        return .success(data)
      } catch {
        return .failure(error)
      }
    }
    return try found.get()
  }

  private static let newline = UInt8(ascii: "\n")
  private static let backslash = UInt8(ascii: "\\")

  /// The bytes from after the opening quote to the end of the file, and the quote character.
  private typealias Body = (bytes: Swift.Slice<UnsafeRawBufferPointer>, quote: UInt8)

  private func body(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) -> Body {
    var rest = bytes[...]
    while !rest.isEmpty {
      if let body = Self.body(ofLine: rest, assigning: Array(name.utf8)) { return body }
      guard let end = rest.firstIndex(of: Self.newline) else { break }
      rest = rest[(end + 1)...]
    }
    throw failure("it has no line '\(name) = b'...'")
  }

  /// The literal's body if the first line of `rest` assigns a bytes literal to `name`, otherwise
  /// nil.
  private static func body(
    ofLine rest: Swift.Slice<UnsafeRawBufferPointer>, assigning name: [UInt8]
  ) -> Body? {
    guard rest.starts(with: name) else { return nil }
    var rest = rest.dropFirst(name.count)
    rest = rest.drop { $0 == UInt8(ascii: " ") }
    guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
    rest = rest.drop { $0 == UInt8(ascii: " ") }
    guard rest.popFirst() == UInt8(ascii: "b"), let quote = rest.popFirst(),
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { return nil }
    // Three quotes open a literal of several lines, which is not supported; two are an empty
    // literal.
    guard !rest.starts(with: [quote, quote]) else { return nil }
    return (rest, quote)
  }

  /// Calls `take` with each decoded byte of the literal.
  private func scan(_ body: Body, _ take: (UInt8) -> Void) throws(WeightsError) {
    let bytes = body.bytes
    var place = bytes.startIndex
    func next() throws(WeightsError) -> UInt8 {
      guard place < bytes.endIndex else { throw failure("\(name) is truncated") }
      defer { place += 1 }
      return bytes[place]
    }
    while true {
      let byte = try next()
      if byte == body.quote { return }
      guard byte != Self.newline else { throw failure("\(name) is not closed on its line") }
      guard byte == Self.backslash else {
        guard byte < 0x80 else { throw failure("\(name) has a character that is not a byte") }
        take(byte)
        continue
      }
      let escape = try next()
      switch escape {
      case UInt8(ascii: "x"):
        guard let high = Self.digit(try next()), let low = Self.digit(try next()) else {
          throw failure("\(name) has an escape \\x without two digits")
        }
        take(high << 4 | low)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        var value = Int(escape - UInt8(ascii: "0"))
        var digits = 1
        while digits < 3, place < bytes.endIndex,
          (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(bytes[place])
        {
          value = value << 3 | Int(bytes[place] - UInt8(ascii: "0"))
          place += 1
          digits += 1
        }
        guard let byte = UInt8(exactly: value) else {
          throw failure("\(name) has an octal escape above 255")
        }
        take(byte)
      default:
        guard let value = Self.escapes[escape] else {
          throw failure("\(name) has the unknown escape \\\(UnicodeScalar(escape))")
        }
        take(value)
      }
    }
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "'"): 0x27, UInt8(ascii: "\""): 0x22,
    UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
    UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    UInt8(ascii: "v"): 0x0B,
  ]

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private func failure(_ reason: String) -> WeightsError {
    .unreadable(file: file, reason: reason)
  }
}
