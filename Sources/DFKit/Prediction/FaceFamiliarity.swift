import Classifiers

/// How similar scored faces are to the training data of the networks.
package struct FaceFamiliarity: Sendable, Equatable {
  /// The measurements of one member.
  package struct Member: Sendable, Equatable {
    /// The member's name in the recipe.
    package var name: String
    /// The median of each trait over the faces.
    package var measures: TraitValues
    /// The limits beyond which a face is unfamiliar.
    package var limits: TraitValues
  }

  /// The members whose weights have familiarity limits, in the recipe's order.
  package let members: [Member]
  /// The fraction of faces that more than half of these members find beyond a limit.
  package let share: Float
  /// The traits in which most faces are beyond the limits; if there is no such trait, the most
  /// frequent one. Empty unless most faces are unfamiliar.
  package let traits: [FamiliarityTrait]

  /// Whether most of the faces are unlike the training data.
  package var isUnfamiliar: Bool { !traits.isEmpty }

  /// The familiarity of a table's faces; nil if no member measured any.
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
    // For each face and each member, the traits beyond the limits.
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
    // For each trait and each face, the number of members that find it beyond a limit.
    let votes = FamiliarityTrait.allCases.map { trait in
      (trait, faces: beyond.map { $0.count { $0.contains(trait) } })
    }
    let most = votes.filter { 2 * $0.faces.count { $0 >= needed } > beyond.count }.map(\.0)
    let frequent = votes.max { $0.faces.reduce(0, +) < $1.faces.reduce(0, +) }
    traits = most.isEmpty ? [frequent?.0].compactMap { $0 } : most
  }
}

extension [FamiliarityTrait] {
  /// A remark on faces that are unfamiliar by these traits.
  var unfamiliarWords: String {
    "unlike the training data" + (isEmpty ? "" : " (\(map(\.words).joined(separator: ", ")))")
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
