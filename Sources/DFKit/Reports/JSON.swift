/// A JSON value whose object keys keep their order and whose text is the same every time.
package enum JSON: Sendable, Equatable {
  case null
  /// true or false
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number; not finite ones are written as null. Written with the fewest digits that read back
  /// as the same Float.
  case number(Float)
  /// The same for a Double.
  case double(Double)
  /// Text.
  case string(String)
  /// A list.
  case array([JSON])
  /// Keys and values in the order of writing.
  case object([Member])

  /// One key of an object with its value.
  package struct Member: Sendable, Equatable {
    package var key: String
    package var value: JSON

    /// A key with its value.
    package init(key: String, value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// A number, or null.
  package static func number(_ value: Float?) -> JSON {
    value.map { .number($0) } ?? .null
  }

  /// A whole number, or null.
  package static func integer(_ value: Int?) -> JSON {
    value.map { .integer($0) } ?? .null
  }

  /// Text, or null.
  package static func string(_ value: String?) -> JSON {
    value.map { .string($0) } ?? .null
  }

  package static func numbers(_ values: [Float]) -> JSON {
    .array(values.map { .number($0) })
  }
}

extension JSON: ExpressibleByDictionaryLiteral {
  /// An object.
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member(key: $0.0, value: $0.1) })
  }
}

extension JSON {
  /// The value as text: two spaces a level, lists of plain values on one line.
  package var text: String { text(indentation: 0) }

  /// The text when the value stands `indentation` spaces from the left; the first line is not
  /// indented.
  package func text(indentation: Int) -> String {
    var output = ""
    write(to: &output, indentation: indentation)
    return output
  }

  /// The value on one line.
  package var line: String {
    switch self {
    case .array(let items): "[\(items.map(\.line).joined(separator: ", "))]"
    case .object(let members):
      "{"
        + members.map { "\(JSON.string($0.key).text): \($0.value.line)" }.joined(separator: ", ")
        + "}"
    default: text
    }
  }

  private var isPlain: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  /// Whether the value is written on one line: plain values, and short lists and objects of them.
  private var isInline: Bool {
    switch self {
    case .array(let items): items.allSatisfy(\.isPlain)
    case .object(let members): members.count <= 2 && members.allSatisfy(\.value.isPlain)
    default: true
    }
  }

  private func write(to output: inout String, indentation: Int) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .number(let value): output += value.isFinite ? Self.plain("\(value)") : "null"
    case .double(let value): output += value.isFinite ? Self.plain("\(value)") : "null"
    case .string(let value): Self.write(quoted: value, to: &output)
    case .array(let items):
      Self.write(
        items, "[", "]", inline: isInline, indentation: indentation, to: &output
      ) { item, output, indentation in item.write(to: &output, indentation: indentation) }
    case .object(let members):
      Self.write(
        members, "{", "}", inline: isInline, indentation: indentation, to: &output
      ) { member, output, indentation in
        Self.write(quoted: member.key, to: &output)
        output += ": "
        member.value.write(to: &output, indentation: indentation)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], _ open: String, _ close: String, inline: Bool, indentation: Int,
    to output: inout String, _ writeItem: (Item, inout String, Int) -> Void
  ) {
    output += open
    for (index, item) in items.enumerated() {
      if inline {
        output += index == 0 ? "" : ", "
      } else {
        output += index == 0 ? "\n" : ",\n"
        output += String(repeating: " ", count: indentation + 2)
      }
      writeItem(item, &output, indentation + 2)
    }
    if !inline, !items.isEmpty { output += "\n" + String(repeating: " ", count: indentation) }
    output += close
  }

  /// Swift writes whole floats as 1.0; JSON readers in other languages then differ from 1.
  private static func plain(_ text: String) -> String {
    text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func write(quoted text: String, to output: inout String) {
    output += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
