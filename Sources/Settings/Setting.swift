/// A setting: its key, its value, the allowed values and its help.
package struct Setting: Sendable, Equatable {
  /// The key, without the keys of the sections that contain it.
  package var key: String
  /// The value as text; nil if it is absent.
  package var value: SettingValue?
  /// The allowed values in words, with code marks; empty for a section.
  package var allowed: String = ""
  /// The range of a number, such as `1 to 1000`; nil if the setting is not a number.
  package var limits: String?
  /// Whether a text must contain the setting.
  package var isNeeded = false
  /// The purpose of the setting, in one sentence.
  package var help: String
  /// Further explanation for the reference.
  package var more = ""
  /// The settings of a section, or of the first item of a list.
  package var content: [Setting] = []
  /// The kinds that a section can choose from.
  var kinds: [String] = []

  package init(
    key: String, value: SettingValue?, allowed: String = "", limits: String? = nil,
    isNeeded: Bool = false, help: String, more: String = "", content: [Setting] = [],
    kinds: [String] = []
  ) {
    self.key = key
    self.value = value
    self.allowed = allowed
    self.limits = limits
    self.isNeeded = isNeeded
    self.help = help
    self.more = more
    self.content = content
    self.kinds = kinds
  }
}

/// A row in the reference of a type's settings.
package struct SettingRow: Sendable, Equatable {
  /// The key with the keys of its sections, such as `optimizer.kind`.
  package var key: String
  /// The setting, as described for the first kind that it applies to.
  package var setting: Setting
  /// The kinds that it applies to; empty if it applies to all.
  package var kinds: [String]

  package init(key: String, setting: Setting, kinds: [String] = []) {
    self.key = key
    self.setting = setting
    self.kinds = kinds
  }

  /// The row in Markdown: key, description, and default.
  package var markdown: String {
    let owners = kinds.isEmpty ? "" : kinds.marked + ": "
    let allowed = setting.allowed.isEmpty ? "" : "\(setting.allowed). "
    let more = setting.more.isEmpty ? "" : " \(setting.more)."
    let text = "\(owners)\(allowed)\(setting.help)\(more)"
    let absent = setting.isNeeded ? "needed" : setting.value.map(\.text) ?? ""
    let usual = absent.isEmpty ? "absent" : absent
    return "| `\(key)` | \(text.withPlainWholeNumbers) | \(usual.withPlainWholeNumbers) |"
  }
}

/// The reference of a type's settings.
extension Described {
  /// A row for each setting, including those that apply to some kinds only. A section with its key
  /// in `apart` is a single row, because it has its own reference.
  package func reference(apart: Set<String> = []) -> [SettingRow] {
    var (copy, fields) = (self, SettingFields(.documenting))
    try? copy.describe(&fields)
    guard let kinds = fields.kind?.all else { return rows(fields.settings, [], apart) }
    let whole = Setting(
      key: "", value: nil, help: "", content: fields.settings, kinds: kinds)
    return kindRows(whole, [], apart)
  }

  /// The rows of the settings below a path.
  private func rows(
    _ settings: [Setting], _ path: [String], _ apart: Set<String>
  ) -> [SettingRow] {
    settings.flatMap { setting -> [SettingRow] in
      let path = path + [setting.key]
      let key = path.joined(separator: ".")
      guard !setting.content.isEmpty, !apart.contains(key), setting.allowed.isEmpty else {
        return [SettingRow(key: key, setting: setting, kinds: [])]
      }
      let own = setting.help.isEmpty ? [] : [SettingRow(key: key, setting: setting, kinds: [])]
      guard !setting.kinds.isEmpty else { return own + rows(setting.content, path, apart) }
      return own + kindRows(setting, path, apart)
    }
  }

  /// The rows of settings with kinds: of a section, or of all at the path `[]`. They are listed for
  /// every kind, and equal rows are merged.
  private func kindRows(
    _ section: Setting, _ path: [String], _ apart: Set<String>
  ) -> [SettingRow] {
    var found: [SettingRow] = []
    for kind in section.kinds {
      let given = SettingValue.map([SettingEntry("kind", .text(kind))])
      let entries = path.reversed().reduce(given) { .map([SettingEntry($1, $0)]) }
      guard case .map(let start) = entries else { continue }
      var (copy, fields) = (self, SettingFields(.documenting, start))
      try? copy.describe(&fields)
      var settings = fields.settings
      for key in path { settings = settings.first { $0.key == key }?.content ?? [] }
      for var setting in settings {
        if setting.key == "kind" {
          setting.value = section.content.first { $0.key == "kind" }?.value
        }
        for row in rows([setting], path, apart) {
          let same = found.firstIndex {
            $0.key == row.key && $0.setting.allowed == row.setting.allowed
          }
          if let same {
            found[same].kinds.append(kind)
          } else {
            found.append(SettingRow(key: row.key, setting: row.setting, kinds: [kind]))
          }
        }
      }
    }
    return found.map { row in
      var row = row
      if row.kinds.count == section.kinds.count { row.kinds = [] }
      return row
    }
  }
}
