import ArgumentParser
import DFKit
import Settings

/// A change of a recipe's setting by a command line option.
struct SettingChange {
  /// The option, such as `--early-stop`.
  let option: String
  /// The key of the setting.
  let key: String
  /// The new value, in the form that recipes use.
  let value: SettingValue

  /// A change to a number or word; nil if the option is not given.
  init?(_ option: String, _ key: String, _ value: (some LosslessStringConvertible)?) {
    guard let value else { return nil }
    self.init(option, key, .text("\(value)"))
  }

  /// A change to a list of numbers or words; nil if the option is not given.
  init?(_ option: String, _ key: String, _ values: [some LosslessStringConvertible]?) {
    guard let values else { return nil }
    self.init(option, key, .list(values.map { .text("\($0)") }))
  }

  private init(_ option: String, _ key: String, _ value: SettingValue) {
    self.option = option
    self.key = key
    self.value = value
  }
}

extension Described {
  /// Applies changes to these settings. `path` is the place of the settings in a recipe.
  ///
  /// - Throws: `ValidationError` that names the option, if its value is not allowed.
  mutating func apply(_ changes: [SettingChange], in path: String = "") throws {
    for change in changes {
      do {
        try set(change.key, change.value, in: path)
      } catch {
        let problem = error.allowed.map { "must be \($0)" } ?? error.problem
        throw ValidationError("\(change.option) \(problem).")
      }
    }
  }
}

extension ArgumentHelp {
  /// The help of an option that replaces a recipe's setting. `usual` describes the value without
  /// the option.
  static func setting(_ key: String, _ usual: String? = nil) -> ArgumentHelp {
    setting(Recipe.setting(key), key, usual)
  }

  /// The help of an option for a setting of something else than a recipe, with the value that holds
  /// without the option.
  static func setting(_ key: String, of settings: some Described) -> ArgumentHelp {
    let setting = settings.reference().first { $0.key == key }?.setting
    return self.setting(
      setting, key, setting?.value.map { "\($0.text) if not given" })
  }

  private static func setting(
    _ setting: Setting?, _ key: String, _ usual: String?
  ) -> ArgumentHelp {
    guard let setting else { preconditionFailure("There is no setting '\(key)'") }
    var help = setting.help.unmarked
    if help.last == "." { help.removeLast() }
    help += ": \(setting.limits ?? setting.allowed.unmarked)"
    return ArgumentHelp(stringLiteral: help + (usual.map { "; \($0)." } ?? "."))
  }
}
