import ArgumentParser
import DFKit
import Settings

/// What an option says in the place of a recipe's setting.
struct SettingChange {
  /// The option, as in `--early-stop`.
  let option: String
  /// The setting's key.
  let key: String
  /// The value as a recipe has it.
  let value: SettingValue

  /// A change to a number or word; nil where the option was not given.
  init?(_ option: String, _ key: String, _ value: (some LosslessStringConvertible)?) {
    guard let value else { return nil }
    self.init(option, key, .text("\(value)"))
  }

  /// A change to a list of numbers or words; nil where the option was not given.
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
  /// Changes settings. Throws a `ValidationError` that names the option where a recipe could not
  /// hold its value; `path` is where the value is in a recipe.
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
  /// The help of an option that takes the place of a recipe's setting. `usual` says what holds
  /// without the option.
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
