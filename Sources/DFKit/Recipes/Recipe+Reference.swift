import Settings
import Training

extension Recipe {
  /// A part of the reference of recipes' settings.
  private enum Part: CaseIterable {
    case recipe, member, training

    var rows: [SettingRow] {
      switch self {
      case .recipe: Recipe(name: "", members: []).reference(apart: ["training"])
      case .member:
        Member(name: "", architecture: .efficientNetB0).reference(apart: ["training"])
      case .training: TrainingOptions().reference()
      }
    }

    /// What the keys begin with where a setting is asked for by its key.
    var prefix: String {
      switch self {
      case .recipe: ""
      case .member: "members."
      case .training: "training."
      }
    }

    var heading: String? {
      switch self {
      case .recipe: nil
      case .member: "Of each member:"
      case .training:
        "Of `training`, of the recipe or of a member (`none` takes back what the recipe says):"
      }
    }
  }

  /// The reference of all settings that a recipe can have, in Markdown.
  package static var reference: String {
    Part.allCases.map { part in
      let table =
        ["| key | values | if not given |", "|---|---|---|"] + part.rows.map(\.markdown)
      return ((part.heading.map { [$0, ""] } ?? []) + table).joined(separator: "\n")
    }
    .joined(separator: "\n\n") + "\n"
  }

  /// What is known of the setting of a key: one of the recipe, `members.` one of a member, or
  /// `training.` one of training.
  package static func setting(_ key: String) -> Setting? { settings[key] }

  private static let settings: [String: Setting] = {
    let rows = Part.allCases.flatMap { part in
      part.rows.map { (part.prefix + $0.key, $0.setting) }
    }
    return Dictionary(rows) { first, _ in first }
  }()
}
