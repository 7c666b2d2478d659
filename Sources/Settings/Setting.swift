/// What is known of a setting: its key, its value, what is allowed, and what it is for.
package struct Setting: Sendable, Equatable {
  /// The key, without those of the sections that it is in.
  package var key: String
  /// Its value as a text has it; nil where it is absent.
  package var value: SettingValue?
  /// What is allowed, in words, with code marks; empty for a section.
  package var allowed: String = ""
  /// The limits of a number alone, `1 to 1000`.
  package var limits: String?
  /// Whether a text must have it.
  package var isNeeded = false
  /// One sentence that says what it is for.
  package var help: String
  /// What else is to be said of it.
  package var more = ""
  /// The settings of a section, or of one item of a list.
  package var content: [Setting] = []
  /// The kinds between which a section chooses.
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

/// A row of the reference of a type's settings.
package struct SettingRow: Sendable, Equatable {
  /// The key with those of its sections, as in `optimizer.kind`.
  package var key: String
  /// What is known of it where it applies first.
  package var setting: Setting
  /// The kinds that it applies to; empty where it applies to all.
  package var kinds: [String]

  /// The row in Markdown: key, values, and what holds if it is not given.
  package var markdown: String {
    let owners = kinds.isEmpty ? "" : kinds.marked + ": "
    let allowed = setting.allowed.isEmpty ? "" : "\(setting.allowed). "
    let more = setting.more.isEmpty ? "" : " \(setting.more)."
    let text = "\(owners)\(allowed)\(setting.help)\(more)"
    let absent = setting.isNeeded ? "needed" : setting.value.map(\.text) ?? ""
    let usual = absent.isEmpty ? "absent" : absent
    return "| `\(key)` | \(Self.plain(text)) | \(Self.plain(usual)) |"
  }

  /// Numbers as people write them: 1 instead of 1.0.
  private static func plain(_ text: String) -> String {
    text.replacing(#/(\d)\.0(?!\d)/#) { String($0.1) }
  }
}

extension Described {
  /// A row for each setting, those included that apply to some kinds only. Sections whose keys are
  /// in `apart` are one row each: they have a reference of their own.
  package func reference(apart: Set<String> = []) -> [SettingRow] {
    var (copy, fields) = (self, SettingFields(.documenting))
    try? copy.describe(&fields)
    return rows(fields.settings, [], apart)
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
      return own + kindRows(setting, path)
    }
  }

  /// The rows of a section that chooses between kinds: it is listed once for each.
  private func kindRows(_ section: Setting, _ path: [String]) -> [SettingRow] {
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
        let key = (path + [setting.key]).joined(separator: ".")
        if setting.key == "kind" { setting.value = section.content.first?.value }
        let same = found.firstIndex {
          $0.key == key && $0.setting.allowed == setting.allowed
        }
        if let same {
          found[same].kinds.append(kind)
        } else {
          found.append(SettingRow(key: key, setting: setting, kinds: [kind]))
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
