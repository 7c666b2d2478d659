import Settings
import Training

extension Recipe {
  /// A part of the reference of settings.
  private enum Part: CaseIterable {
    case recipe, member, training, step

    var rows: [SettingRow] {
      switch self {
      case .recipe: Recipe(name: "", members: []).reference(apart: ["training"])
      case .member:
        Member(name: "", architecture: .efficientNetB0).reference(apart: ["training"])
      case .training: TrainingOptions().reference()
      case .step: Augmentation.reference
      }
    }

    /// The prefix of the keys in `setting(_:)`.
    var prefix: String {
      switch self {
      case .recipe: ""
      case .member: "members."
      case .training: "training."
      case .step: "training.augmentation."
      }
    }

    var heading: String? {
      switch self {
      case .recipe: nil
      case .member: "For each member:"
      case .training:
        "In `training`, of the recipe or of a member (there, `none` cancels the recipe's setting):"
      case .step:
        "For each step of `augmentation` (all have a `probability` too, 1 if not given):"
      }
    }
  }

  /// The reference of all settings of a recipe, as tables in Markdown.
  package static var reference: String {
    Part.allCases.map { part in
      let table =
        ["| key | values | if not given |", "|---|---|---|"] + part.rows.map(\.markdown)
      return ((part.heading.map { [$0, ""] } ?? []) + table).joined(separator: "\n")
    }
    .joined(separator: "\n\n") + "\n"
  }

  /// The description of the setting with this key; nil if there is none. Keys of a member begin
  /// with `members.`, keys of a training with `training.`.
  package static func setting(_ key: String) -> Setting? { settings[key] }

  private static let settings: [String: Setting] = {
    let rows = Part.allCases.flatMap { part in
      part.rows.map { (part.prefix + $0.key, $0.setting) }
    }
    return Dictionary(rows) { first, _ in first }
  }()
}
