import DeepfakeCore

extension ShippedWeights {
  /// The weights that ship, as a table.
  public static func table() -> String {
    var table = TextTable([
      .init("part of dfkit"), .init("kind"), .init("network"), .init("size", .right),
      .init("about"),
    ])
    for weights in all {
      table.add([
        weights.name, weights.card?.kind.rawValue ?? "-", weights.architecture ?? "-",
        weights.bytes.count.byteCount, weights.card?.about ?? "",
      ])
    }
    return table.text
  }

  /// The network's name in commands; nil if the weights' metadata has none.
  public var architecture: String? {
    (try? read()).flatMap { try? ModelMetadata($0) }?.architecture
  }

  /// The entry that `dfkit weights list --json` prints (see `Docs/Formats.md`).
  package var json: JSON {
    let metadata = (try? read()).flatMap { try? ModelMetadata($0) }
    return [
      "name": .string(name), "kind": .string(card?.kind.rawValue), "about": .string(card?.about),
      "network": .string(metadata?.architecture), "scheme": .string(metadata?.scheme),
      "licence": .string(card?.licence), "homepage": .null,
      "files": .array([
        [
          "name": .string("\(name).safetensors"), "size": .integer(bytes.count),
          "sha256": .string(digest),
        ]
      ]), "path": .null, "shipped": .bool(true),
    ]
  }
}

extension ShippedWeights.Card {
  /// The card as lines with a title and a text.
  package var lines: [(title: String, text: String)] {
    [
      ("about", about), ("made by", made), ("licence", licence), ("terms", terms),
      ("not for", notFor), ("more", document),
    ]
  }

  var json: JSON {
    [
      "kind": .string(kind.rawValue), "about": .string(about), "made": .string(made),
      "licence": .string(licence), "terms": .string(terms), "notFor": .string(notFor),
      "card": .string(document),
    ]
  }
}
