import Foundation

/// A type whose settings can be read from a text, written to one, checked and listed.
package protocol Described {
  /// Describes each setting once: its key, the property that holds it, the allowed values and its
  /// help.
  mutating func describe(_ fields: inout SettingFields) throws(SettingError)
}

/// One of several kinds, each with its own settings. A key such as `kind` chooses between them.
package protocol DescribedKind: Described {
  /// Every kind with its default settings.
  static var kinds: [Self] { get }
  /// The name of the kind in texts.
  var name: String { get }
}

/// A pass over the settings of a value, made by `Described.describe`. Depending on `purpose`, it
/// reads a text into the value, checks the value, or lists its settings.
///
/// ```swift
/// mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
///   try fields.value("epochs", &epochs, .whole(in: 1...100_000), "Passes over the data.")
///   try fields.optional("clip", &clip, .number(in: 1e-6...1e6), "The gradient's longest norm.")
/// }
/// ```
package struct SettingFields {
  /// The purpose of a pass.
  package enum Purpose: Sendable {
    /// Reads a text into the value. Required keys must be present.
    case reading
    /// Reads a text into the value. The text may hold a single key; required keys may be missing.
    case changing
    /// Throws if a setting has a value that is not allowed in a text.
    case checking
    /// Lists the settings; never throws.
    case listing
    /// Lists all settings, including those of absent optional sections.
    case documenting
  }

  package let purpose: Purpose
  /// The folder to which relative paths in the text refer; nil: the current folder.
  package let folder: URL?
  /// The settings described so far, in order.
  package private(set) var settings: [Setting] = []
  private let path: String
  private let given: [SettingEntry]
  /// The settings of the previous kind, used for keys that the text does not give.
  private var inherited: [SettingEntry] = []
  /// The kind of the value, and all kinds; nil if the value has none.
  private(set) var kind: (name: String, all: [String])?

  package init(
    _ purpose: Purpose, _ given: [SettingEntry] = [], path: String = "", folder: URL? = nil
  ) {
    self.purpose = purpose
    self.given = given
    self.path = path
    self.folder = folder
  }

  /// The settings as texts; absent ones are left out.
  package var entries: [SettingEntry] {
    settings.compactMap { setting in setting.value.map { SettingEntry(setting.key, $0) } }
  }

  /// Describes a setting.
  ///
  /// - Parameters:
  ///   - isNeeded: Whether a text must contain it.
  ///   - isHidden: Whether a value is left out when settings are written.
  ///   - help: One sentence for the reference and for the help of an option.
  ///   - more: Further explanation for the reference.
  package mutating func value<Value>(
    _ key: String, _ value: inout Value, _ form: SettingForm<Value>, isNeeded: Bool = false,
    isHidden: (Value) -> Bool = { _ in false }, _ help: String, more: String = ""
  ) throws(SettingError) {
    if let found = found(key) {
      value = try read(key, found, form)
    } else if isNeeded, purpose == .reading {
      let what = help.prefix(1).lowercased() + help.dropFirst().prefix { $0 != "." }
      throw error(key, "is missing; give \(form.allowed): \(what)")
    }
    let text = form.write(value)
    if purpose == .checking { _ = try read(key, text, form) }
    settings.append(
      Setting(
        key: key, value: isHidden(value) && purpose != .documenting ? nil : text,
        allowed: form.marked, limits: form.limits, isNeeded: isNeeded, help: help, more: more))
  }

  /// Describes a setting that may be absent.
  ///
  /// - Parameter hasNone: Whether the word `none` means absent, so that one text can undo a setting
  ///   of another.
  package mutating func optional<Value>(
    _ key: String, _ value: inout Value?, _ form: SettingForm<Value>, hasNone: Bool = false,
    _ help: String, more: String = ""
  ) throws(SettingError) {
    var form = form
    if hasNone { form.marked += ", or `none`" }
    let none = SettingValue.text("none")
    if let found = found(key) {
      value = hasNone && found == none ? nil : try read(key, found, form)
    }
    let text = value.map(form.write)
    if purpose == .checking, let text { _ = try read(key, text, form) }
    settings.append(
      Setting(
        key: key, value: text ?? (hasNone ? none : nil), allowed: form.marked, limits: form.limits,
        help: help, more: more))
  }

  /// Describes the settings of a section.
  package mutating func section(
    _ key: String, _ value: inout some Described, _ help: String = ""
  ) throws(SettingError) {
    var inner = try section(key) ?? SettingFields(subPurpose, path: place(key), folder: folder)
    try inner.pass(over: &value)
    add(key, inner, help)
  }

  /// Describes the settings of an optional section.
  ///
  /// - Parameters:
  ///   - usual: The value to which a text's settings are applied if the section was absent.
  ///   - hasNone: Whether the word `none` means absent.
  ///   - shorthand: The key that a single word is for, if it is given instead of a section.
  package mutating func section<Value: Described>(
    _ key: String, _ value: inout Value?, from usual: Value, hasNone: Bool = false,
    shorthand: String? = nil, _ help: String = "", more: String = ""
  ) throws(SettingError) {
    let found = found(key)
    let none = SettingValue.text("none")
    let isAbsent = found == nil && value == nil || hasNone && found == none
    if isAbsent, purpose != .documenting {
      value = nil
      return settings.append(
        Setting(key: key, value: hasNone ? none : nil, help: help, more: more))
    }
    var inner: SettingFields
    var result = value ?? usual
    if let shorthand, case .text? = found, let found {
      inner = SettingFields(
        subPurpose, [SettingEntry(shorthand, found)], path: place(key), folder: folder)
      do {
        try inner.pass(over: &result)
      } catch {
        throw SettingError(key: place(key), problem: error.problem, allowed: error.allowed)
      }
    } else {
      inner = try section(key) ?? SettingFields(subPurpose, path: place(key), folder: folder)
      try inner.pass(over: &result)
    }
    value = result
    add(key, inner, help, more)
    // An absent section is documented with its default settings, but it has no value.
    if isAbsent { settings[settings.count - 1].value = hasNone ? none : nil }
  }

  /// Describes a list of at least one value with settings of its own; `each` describes one item.
  ///
  /// - Parameters:
  ///   - allowed: The allowed values of the list, in words.
  ///   - limit: The maximum number of items.
  ///   - usual: The value of an item before its text is read.
  ///   - each: Describes the settings of an item.
  package mutating func items<Value>(
    _ key: String, _ values: inout [Value], _ allowed: String, limit: Int, from usual: Value,
    _ help: String,
    each: (inout Value, inout SettingFields) throws(SettingError) -> Void
  ) throws(SettingError) {
    var passes: [SettingFields] = []
    if let found = found(key) {
      guard case .list(let items) = found else {
        throw error(key, "must be \(allowed), not \(found.kind)")
      }
      guard items.count <= limit else {
        throw error(key, "has \(items.count) entries; at most \(limit) are allowed")
      }
      values = []
      for (index, item) in items.enumerated() {
        let place = place("\(key)[\(index)]")
        guard case .map(let entries) = item else {
          throw Self.notMapping(place, item)
        }
        var (value, inner) = (usual, SettingFields(purpose, entries, path: place, folder: folder))
        try each(&value, &inner)
        try inner.end { (_) in [] }
        values.append(value)
        passes.append(inner)
      }
    } else {
      if values.isEmpty, purpose == .documenting { values = [usual] }
      for index in values.indices {
        let place = place("\(key)[\(index)]")
        var inner = SettingFields(subPurpose, path: place, folder: folder)
        try each(&values[index], &inner)
        passes.append(inner)
      }
    }
    if values.isEmpty, purpose == .reading || purpose == .checking {
      throw error(key, "is missing; give \(allowed)")
    }
    settings.append(
      Setting(
        key: key, value: .list(passes.map { .map($0.entries) }), allowed: allowed, isNeeded: true,
        help: help, content: passes.first?.settings ?? []))
  }

  /// Describes the key that chooses the kind of a value. When the kind changes, settings that both
  /// kinds have are kept. After this call, `value.describe(&fields)` describes the settings of the
  /// kind itself.
  ///
  /// - Parameter isHidden: Whether a kind is left out when settings are written.
  package mutating func kind<Value: DescribedKind>(
    _ key: String, _ value: inout Value, isHidden: (String) -> Bool = { _ in false },
    _ help: String, more: String = ""
  ) throws(SettingError) {
    let names = Value.kinds.map(\.name)
    var name = value.name
    try self.value(key, &name, .word(of: names), isHidden: isHidden, help, more: more)
    if name != value.name, let other = Value.kinds.first(where: { $0.name == name }) {
      inherited = value.entries
      value = other
    }
    kind = (name, names)
  }

  /// Throws if `isFulfilled` is false because settings contradict each other. `problem` is the
  /// error message, without the key.
  package func require(
    _ isFulfilled: Bool, _ key: String, _ problem: String
  ) throws(SettingError) {
    guard !isFulfilled, purpose != .listing, purpose != .documenting else { return }
    throw error(key, problem)
  }

  /// The text's value of a key that the caller parses itself; nil if the text does not have the
  /// key.
  package mutating func take(_ key: String) -> SettingValue? { found(key) }

  /// Lists a setting that the caller parsed itself.
  package mutating func add(_ setting: Setting) { settings.append(setting) }

  package func error(_ key: String, _ problem: String) -> SettingError {
    SettingError(key: place(key), problem: problem)
  }

  package func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension SettingFields {
  /// Describes a value, and throws if the text has a key that the value does not have.
  package mutating func pass<Value: Described>(over value: inout Value) throws(SettingError) {
    try value.describe(&self)
    let described = value
    try end { kind in
      var copy = described
      var fields = SettingFields(.listing, [SettingEntry("kind", .text(kind))])
      try? copy.describe(&fields)
      return fields.settings.map(\.key)
    }
  }

  private func end(_ keys: (_ kind: String) -> [String]) throws(SettingError) {
    let known = settings.map(\.key)
    guard let unknown = given.first(where: { !known.contains($0.key) })?.key else { return }
    let owners = kind?.all.filter { keys($0).contains(unknown) } ?? []
    guard let kind, !owners.isEmpty else {
      throw error(unknown, "is not a known key; known here: \(known.joined(separator: ", "))")
    }
    let noun = path.split(separator: ".").last.map { "\($0) " } ?? ""
    throw error(
      unknown,
      "does not apply to the \(noun)\(kind.name), only to \(owners.joined(separator: ", "))")
  }

  /// The purpose of a section that the text does not contain: its required keys may be missing.
  private var subPurpose: Purpose { purpose == .reading ? .changing : purpose }

  private func found(_ key: String) -> SettingValue? {
    let value = (given + inherited).first { $0.key == key }?.value
    return value == .nothing ? nil : value
  }

  private func read<Value>(
    _ key: String, _ found: SettingValue, _ form: SettingForm<Value>
  ) throws(SettingError) -> Value {
    guard let value = form.read(found) else {
      throw SettingError(
        key: place(key), problem: form.complaint(found), allowed: form.limits ?? form.allowed)
    }
    return value
  }

  private func section(_ key: String) throws(SettingError) -> SettingFields? {
    guard let found = found(key) else { return nil }
    guard case .map(let entries) = found else { throw Self.notMapping(place(key), found) }
    return SettingFields(purpose, entries, path: place(key), folder: folder)
  }

  private mutating func add(
    _ key: String, _ inner: SettingFields, _ help: String, _ more: String = ""
  ) {
    settings.append(
      Setting(
        key: key, value: .map(inner.entries), help: help, more: more, content: inner.settings,
        kinds: inner.kind?.all ?? []))
  }

  private static func notMapping(_ place: String, _ found: SettingValue) -> SettingError {
    SettingError(
      key: place, problem: "must be a mapping of keys to values, not \(found.kind)")
  }
}

extension Described {
  /// The settings as texts, with nested maps for sections.
  package var sections: [SettingEntry] {
    var (copy, fields) = (self, SettingFields(.listing))
    // Listing never throws.
    try? copy.describe(&fields)
    return fields.entries
  }

  /// The settings as texts, each with its full key, such as `optimizer.kind`.
  package var entries: [SettingEntry] { sections.flattened }

  /// Throws if a setting has a value that is not allowed in a text.
  package func check() throws(SettingError) {
    var (copy, fields) = (self, SettingFields(.checking))
    try copy.describe(&fields)
  }

  /// Why the value is invalid, or nil if all its settings are allowed.
  package var problem: String? {
    do {
      try check()
      return nil
    } catch {
      return error.description
    }
  }

  /// Changes one setting, such as `optimizer.learningRate`, in the same way as a text. `path` is
  /// the value's own path, for messages.
  package mutating func set(
    _ key: String, _ value: SettingValue, in path: String = ""
  ) throws(SettingError) {
    let parts = key.split(separator: ".").map(String.init)
    let entries = parts.reversed().reduce(value) { .map([SettingEntry($1, $0)]) }
    guard case .map(let given) = entries else { return }
    var changed = self
    var fields = SettingFields(.changing, given, path: path)
    try fields.pass(over: &changed)
    self = changed
  }
}
