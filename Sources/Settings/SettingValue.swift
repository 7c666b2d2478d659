/// A setting's value as a text holds it: in a recipe, in a run's record, or on the command line.
package indirect enum SettingValue: Sendable, Equatable {
  /// A key without a value, which counts as if the key were not there.
  case nothing
  /// A number, a word or a sentence.
  case text(String)
  /// Several values.
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

  /// The value as a message quotes it.
  var quoted: String {
    switch self {
    case .list(let values): "[\(values.map(\.quoted).joined(separator: ", "))]"
    default: "'\(text)'"
    }
  }

  /// What kind of value it is, for messages.
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
  /// The same without maps: the entry `kind` of the map `optimizer` has the key `optimizer.kind`.
  package var flattened: [SettingEntry] {
    flatMap { entry in
      guard case .map(let inner) = entry.value else { return [entry] }
      return inner.flattened.map { SettingEntry("\(entry.key).\($0.key)", $0.value) }
    }
  }
}

/// Why a setting cannot be used: its key, and what is allowed there.
package struct SettingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Where, as in `members[2].size`; empty when it is about the whole.
  package var key: String
  /// What is wrong and what is allowed.
  package var problem: String
  /// What is allowed, where the value is what is wrong: the limits, or a description.
  package var allowed: String?

  package init(key: String, problem: String, allowed: String? = nil) {
    self.key = key
    self.problem = problem
    self.allowed = allowed
  }

  package var description: String { key.isEmpty ? problem : "\(key): \(problem)" }
}
