/// A JSON value. Object keys keep their order, and equal values always give the same text.
package enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number, written with the fewest digits that read back as the same Float. Infinity and NaN
  /// are written as null.
  case number(Float)
  /// A number, written with the fewest digits that read back as the same Double. Infinity and NaN
  /// are written as null.
  case double(Double)
  case string(String)
  case array([JSON])
  /// An object, whose keys are written in this order.
  case object([Member])

  package struct Member: Sendable, Equatable {
    package var key: String
    package var value: JSON

    package init(key: String, value: JSON) {
      self.key = key
      self.value = value
    }
  }

  /// A number, or null for nil.
  package static func number(_ value: Float?) -> JSON {
    value.map { .number($0) } ?? .null
  }

  /// A whole number, or null for nil.
  package static func integer(_ value: Int?) -> JSON {
    value.map { .integer($0) } ?? .null
  }

  /// Text, or null for nil.
  package static func string(_ value: String?) -> JSON {
    value.map { .string($0) } ?? .null
  }

  package static func numbers(_ values: [Float]) -> JSON {
    .array(values.map { .number($0) })
  }
}

extension JSON: ExpressibleByDictionaryLiteral {
  /// An object with these keys, in this order.
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member(key: $0.0, value: $0.1) })
  }
}

extension JSON {
  /// The value as text, indented by two spaces a level. Lists of plain values stay on one line.
  package var text: String { text(indentation: 0) }

  /// The text of a value that starts `indentation` spaces from the left. The first line is not
  /// indented.
  package func text(indentation: Int) -> String {
    var output = ""
    write(to: &output, indentation: indentation)
    return output
  }

  /// The whole value on one line.
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

  /// Drops the `.0` that Swift writes after whole numbers, so that the text equals that of other
  /// JSON writers.
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
