import Classifiers

/// How like the faces that the networks learned from some judged faces are.
public struct FaceFamiliarity: Sendable, Equatable {
  /// What one member measured.
  public struct Member: Sendable, Equatable {
    /// The member's name in the recipe.
    public var name: String
    /// The medians over the faces.
    public var measures: FamiliarityMeasures
    /// How far a face may be.
    public var limits: FamiliarityLimits
  }

  /// The members whose weights say what is familiar, in the recipe's order.
  public let members: [Member]
  /// The part of the faces that are beyond some limit of more than half of the members, 0 to 1.
  public let share: Float
  /// What most of the faces are beyond the limits of; where no single trait is, the most frequent
  /// one. Empty unless most faces are beyond some limit.
  public let traits: [FamiliarityTrait]

  /// Whether most of the faces are unlike those learned from.
  public var isUnfamiliar: Bool { !traits.isEmpty }

  /// The familiarity of faces; nil where no member measured any.
  init?(_ faces: [VideoReport.FrameScore], _ limits: [VideoReport.MemberLimits]) {
    var members: [Member] = []
    // Of each face, how many members find it beyond some limit, and beyond each.
    var votes = [Int](repeating: 0, count: faces.count)
    var traitVotes = [[FamiliarityTrait: Int]](repeating: [:], count: faces.count)
    for member in limits {
      var measured: [FamiliarityMeasures] = []
      for (place, face) in faces.enumerated() {
        guard let own = face.measures.first(where: { $0.name == member.name }) else { continue }
        measured.append(own.measures)
        let beyond = member.limits.traitsBeyond(own.measures)
        if !beyond.isEmpty { votes[place] += 1 }
        for trait in beyond { traitVotes[place][trait, default: 0] += 1 }
      }
      guard !measured.isEmpty else { continue }
      members.append(
        Member(name: member.name, measures: .median(of: measured), limits: member.limits))
    }
    guard !members.isEmpty else { return nil }
    let needed = members.count / 2 + 1
    let unfamiliar = votes.count { $0 >= needed }
    self.members = members
    share = Float(unfamiliar) / Float(faces.count)
    guard 2 * unfamiliar > faces.count else {
      traits = []
      return
    }
    let counts = FamiliarityTrait.allCases.map { trait in
      (trait, traitVotes.count { $0[trait, default: 0] >= needed })
    }
    let most = counts.filter { 2 * $0.1 > faces.count }.map(\.0)
    let all = FamiliarityTrait.allCases.max { first, second in
      let sums = [first, second].map { trait in
        traitVotes.reduce(0) { $0 + $1[trait, default: 0] }
      }
      return sums[0] < sums[1]
    }
    traits = most.isEmpty ? [all].compactMap { $0 } : most
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
