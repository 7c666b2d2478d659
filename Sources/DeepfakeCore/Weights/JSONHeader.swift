/// A value of the JSON header of a safetensors file.
///
/// It has its own parser because order, repeated keys and exact integers matter here. Foundation's
/// parser loses all three.
enum JSONHeader {
  case object([(key: String, value: JSONHeader)])
  case array([JSONHeader])
  case string(String)
  case integer(Int)
  /// Numbers with a fraction or exponent, true, false and null. They are allowed and have no use
  /// here.
  case other

  /// Parses `bytes`; spaces around the value are allowed. Returns nil if the bytes are not JSON,
  /// repeat a key in an object, or nest more than eight levels deep.
  static func parse(_ bytes: UnsafeRawBufferPointer) -> JSONHeader? {
    var parser = Parser(bytes: bytes)
    guard let value = parser.value(depth: 0) else { return nil }
    parser.skipSpace()
    return parser.position == bytes.count ? value : nil
  }

  private struct Parser {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    private static let maximumDepth = 8

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
      while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
        position += 1
      }
    }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard let byte = next, byte == character.value else { return false }
      position += 1
      return true
    }

    mutating func value(depth: Int) -> JSONHeader? {
      skipSpace()
      guard depth < Self.maximumDepth, let byte = next else { return nil }
      switch Unicode.Scalar(byte) {
      case "{": return object(depth: depth)
      case "[": return array(depth: depth)
      case "\"": return string().map { .string($0) }
      case "t": return word("true")
      case "f": return word("false")
      case "n": return word("null")
      default: return number()
      }
    }

    private mutating func object(depth: Int) -> JSONHeader? {
      position += 1
      var members: [(key: String, value: JSONHeader)] = []
      var seen: Set<String> = []
      if accept("}") { return .object([]) }
      repeat {
        skipSpace()
        guard next == 0x22, let key = string(), seen.insert(key).inserted, accept(":"),
          let value = value(depth: depth + 1)
        else { return nil }
        members.append((key, value))
      } while accept(",")
      return accept("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONHeader? {
      position += 1
      var items: [JSONHeader] = []
      if accept("]") { return .array([]) }
      repeat {
        guard let item = value(depth: depth + 1) else { return nil }
        items.append(item)
      } while accept(",")
      return accept("]") ? .array(items) : nil
    }

    private mutating func word(_ word: StaticString) -> JSONHeader? {
      let count = word.utf8CodeUnitCount
      guard bytes.count - position >= count,
        bytes[position..<position + count].elementsEqual(
          UnsafeBufferPointer(start: word.utf8Start, count: count))
      else { return nil }
      position += count
      return .other
    }

    private mutating func number() -> JSONHeader? {
      let start = position
      while let byte = next, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
      guard position > start else { return nil }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      if let integer = Int(text), !text.hasPrefix("+") { return .integer(integer) }
      return Double(text) == nil ? nil : .other
    }

    private mutating func string() -> String? {
      position += 1
      var text: [UInt8] = []
      while let byte = next {
        position += 1
        switch byte {
        case 0x22: return String(validating: text, as: UTF8.self)
        case 0x5C:
          guard let scalar = escape() else { return nil }
          text.append(contentsOf: Character(scalar).utf8)
        case 0..<0x20: return nil
        default: text.append(byte)
        }
      }
      return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
      guard let byte = next else { return nil }
      position += 1
      switch Unicode.Scalar(byte) {
      case "\"": return "\""
      case "\\": return "\\"
      case "/": return "/"
      case "b": return "\u{8}"
      case "f": return "\u{C}"
      case "n": return "\n"
      case "r": return "\r"
      case "t": return "\t"
      case "u":
        guard let unit = hexUnit() else { return nil }
        guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
        guard next == 0x5C else { return nil }
        position += 1
        guard next == 0x75 else { return nil }
        position += 1
        guard let low = hexUnit(), (0xDC00..<0xE000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      default: return nil
      }
    }

    private mutating func hexUnit() -> UInt32? {
      guard bytes.count - position >= 4 else { return nil }
      var unit: UInt32 = 0
      for byte in bytes[position..<position + 4] {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
        unit = unit << 4 | UInt32(digit)
      }
      position += 4
      return unit
    }
  }
}
