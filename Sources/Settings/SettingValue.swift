/// A setting's value as a text holds it: in a recipe, in a run's record, or on the command line.
package indirect enum SettingValue: Sendable, Equatable {
  /// A key without a value; it is treated as absent.
  case nothing
  /// A number, a word or a sentence.
  case text(String)
  /// A list of values.
  case list([SettingValue])
  /// Values by key, in the order in which they were written.
  case map([SettingEntry])

  /// The value on one line: `0.5`, `[0.4, 0.6]`, `blur(probability: 1.0)`.
  package var text: String {
    switch self {
    case .nothing: ""
    case .text(let text): text
    case .list(let values): "[\(values.map(\.text).joined(separator: ", "))]"
    case .map(let entries): entries.map(\.text).joined(separator: ", ")
    }
  }

  /// The value in quotation marks, for messages.
  var quoted: String {
    switch self {
    case .list(let values): "[\(values.map(\.quoted).joined(separator: ", "))]"
    default: "'\(text)'"
    }
  }

  /// The kind of the value, for messages.
  package var kind: String {
    switch self {
    case .nothing: "nothing"
    case .text: "a single value"
    case .list: "a list"
    case .map: "a mapping"
    }
  }
}

/// A key and its value.
package struct SettingEntry: Sendable, Equatable {
  package var key: String
  package var value: SettingValue

  package init(_ key: String, _ value: SettingValue) {
    self.key = key
    self.value = value
  }

  fileprivate var text: String {
    if case .map(let inner) = value { return "\(key)(\(SettingValue.map(inner).text))" }
    return "\(key): \(value.text)"
  }
}

extension [SettingEntry] {
  /// The entries without nested maps: the entry `kind` of the map `optimizer` gets the key
  /// `optimizer.kind`.
  package var flattened: [SettingEntry] {
    flatMap { entry in
      guard case .map(let inner) = entry.value else { return [entry] }
      return inner.flattened.map { SettingEntry("\(entry.key).\($0.key)", $0.value) }
    }
  }
}

/// Why a setting is invalid.
package struct SettingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The full key, such as `members[2].size`; empty if the error concerns the whole text.
  package var key: String
  /// The error and the allowed values, without the key.
  package var problem: String
  /// The allowed values, if the value is wrong: a range or a description; otherwise nil.
  package var allowed: String?

  package init(key: String, problem: String, allowed: String? = nil) {
    self.key = key
    self.problem = problem
    self.allowed = allowed
  }

  package var description: String { key.isEmpty ? problem : "\(key): \(problem)" }
}
