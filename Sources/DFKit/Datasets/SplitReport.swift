import FaceData

extension SplitJob.Result {
  /// The parts as a table, then the number of groups and the links that hold the largest group
  /// together.
  package var text: String {
    let shares = partition.shares
    let hasOrigin = shares.contains { $0.origin != nil }
    var table = TextTable(
      [.init("part"), .init("label")] + (hasOrigin ? [.init("collection")] : [])
        + [.init("samples", .right), .init("share", .right), .init("groups", .right)])
    for share in shares {
      let all = shares.filter { $0.label == share.label && $0.origin == share.origin }
        .reduce(0) { $0 + $1.samples }
      table.add(
        [share.part.rawValue, share.label.word.lowercased()]
          + (hasOrigin ? [share.origin ?? "-"] : [])
          + [
            "\(share.samples)", "\((100 * Double(share.samples) / Double(all)).fixed(1)) %",
            "\(share.groups)",
          ])
    }
    return ([table.text] + facts).joined(separator: "\n")
  }

  private var facts: [String] {
    guard let rule = partition.rule else {
      return [
        "drawn sample by sample: frames of one video are in both parts. Use it only to compare."
      ]
    }
    let largest = partition.largestGroup
    var lines = [
      "\(partition.groupCount) groups by "
        + (partition.sawPictures ? pictureRule : rule.rawValue),
      "the largest has \(largest.samples) samples" + Self.joinedBy(largest),
    ]
    for link in largest.weakest.prefix(3) {
      let samples = partition.manifest.samples
      lines.append(
        "  \(link.kind.text) \(link.similarity.fixed(2)): \(samples[link.first].path) and"
          + " \(samples[link.second].path)")
    }
    if partition.strata != .labelAndOrigin {
      let what = partition.strata == .label ? "collection" : "label and collection"
      lines.append("there are too few groups to give every part its share of each \(what)")
    }
    if let folds = partition.folds {
      let counts = Set(folds.compactMap { $0 }).sorted().map { fold in
        "\(folds.count { $0 == fold })"
      }
      lines.append("folds of \(counts.joined(separator: ", ")) samples; the first is validation")
    }
    if !unreadable.isEmpty {
      lines.append(
        "\(unreadable.count) pictures could not be read, the first:"
          + " \(unreadable[0].error.description)")
    }
    return lines + notes
  }

  private var pictureRule: String {
    partition.rule == .blocks
      ? "the pictures" : "person, video and original, and by the pictures"
  }

  private static func joinedBy(_ group: DatasetPartition.Group) -> String {
    var parts: [String] = []
    if group.people > 0 { parts.append(count(group.people, "person", "people")) }
    if group.videos > 0 { parts.append(count(group.videos, "video", "videos")) }
    parts += group.links.map { count($0.count, "link", "links") + " by \($0.kind.text)" }
    return parts.isEmpty ? "" : ": " + parts.joined(separator: ", ")
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    "\(number) \(number == 1 ? one : many)"
  }

  /// The split as JSON (see `Docs/Formats.md`).
  package var json: JSON {
    let largest = partition.largestGroup
    let samples = partition.manifest.samples
    return [
      "samples": .integer(partition.parts.count),
      "groups": .integer(partition.groupCount),
      "parts": .array(
        partition.shares.map { share in
          [
            "part": .string(share.part.rawValue), "label": .string(share.label.word),
            "origin": .string(share.origin), "samples": .integer(share.samples),
            "groups": .integer(share.groups), "videos": .integer(share.videos),
          ]
        }),
      "largest_group": [
        "samples": .integer(largest.samples), "videos": .integer(largest.videos),
        "people": .integer(largest.people),
        "links": .object(
          largest.links.map { .init(key: $0.kind.rawValue, value: .integer($0.count)) }),
        "weakest": .array(
          largest.weakest.map { link in
            [
              "kind": .string(link.kind.rawValue), "similarity": .number(link.similarity),
              "first": .string(samples[link.first].path),
              "second": .string(samples[link.second].path),
            ]
          }),
      ],
      "looked_at_pictures": .bool(partition.sawPictures),
      "unreadable": .array(unreadable.map { .string($0.error.description) }),
      "notes": .array(notes.map { .string($0) }),
    ]
  }
}

extension LinkKind {
  /// The name of the kind in reports.
  package var text: String {
    switch self {
    case .video: "same video"
    case .original: "same original"
    case .person: "same person"
    case .folder: "same folder"
    case .neighbours: "neighbouring frames"
    case .identicalFile: "identical pictures"
    case .nearCopy: "near-copies"
    case .lookAlike: "look-alike faces"
    case .background: "same background"
    }
  }
}
