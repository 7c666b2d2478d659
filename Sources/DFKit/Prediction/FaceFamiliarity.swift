import Classifiers

/// How like the faces that the networks learned from some judged faces are.
package struct FaceFamiliarity: Sendable, Equatable {
  /// What one member measured.
  package struct Member: Sendable, Equatable {
    /// The member's name in the recipe.
    package var name: String
    /// The medians over the faces.
    package var measures: TraitValues
    /// How far a face may be.
    package var limits: TraitValues
  }

  /// The members whose weights say what is familiar, in the recipe's order.
  package let members: [Member]
  /// The part of the faces that are beyond some limit of more than half of the members, 0 to 1.
  package let share: Float
  /// What most of the faces are beyond the limits of; where no single trait is, the most frequent
  /// one. Empty unless most faces are beyond some limit.
  package let traits: [FamiliarityTrait]

  /// Whether most of the faces are unlike those learned from.
  package var isUnfamiliar: Bool { !traits.isEmpty }

  /// The familiarity of a table's faces; nil where no member measured any.
  init?(_ table: ScoreTable) {
    let known = table.members.indices.filter { member in
      table.members[member].limits != nil
        && table.faces.contains { $0.measures[member] != nil }
    }
    guard !known.isEmpty else { return nil }
    members = known.map { member in
      Member(
        name: table.members[member].name,
        measures: .median(of: table.faces.compactMap { $0.measures[member] }),
        limits: table.members[member].limits ?? TraitValues())
    }
    // Of each face, what each member finds beyond its limits.
    let beyond = table.faces.map { face in
      known.map { table.traitsBeyond(face, member: $0) }
    }
    let needed = known.count / 2 + 1
    let unfamiliar = beyond.count { $0.count { !$0.isEmpty } >= needed }
    share = Float(unfamiliar) / Float(beyond.count)
    guard 2 * unfamiliar > beyond.count else {
      traits = []
      return
    }
    // Of each trait, how many members name it for each face.
    let votes = FamiliarityTrait.allCases.map { trait in
      (trait, faces: beyond.map { $0.count { $0.contains(trait) } })
    }
    let most = votes.filter { 2 * $0.faces.count { $0 >= needed } > beyond.count }.map(\.0)
    let frequent = votes.max { $0.faces.reduce(0, +) < $1.faces.reduce(0, +) }
    traits = most.isEmpty ? [frequent?.0].compactMap { $0 } : most
  }
}

extension [FamiliarityTrait] {
  /// What to say of faces beyond the limits of these traits.
  var unfamiliarWords: String {
    "unlike what was learned from" + (isEmpty ? "" : " (\(map(\.words).joined(separator: ", ")))")
  }
}

extension FaceFamiliarity {
  /// The familiarity as `dfkit predict --json` prints it.
  var json: JSON {
    [
      "unfamiliar": .bool(isUnfamiliar), "share": .number(share),
      "traits": .array(traits.map { .string($0.rawValue) }),
      "members": .array(
        members.map {
          ["name": .string($0.name), "measures": $0.measures.json, "limits": $0.limits.json]
        }),
    ]
  }
}
