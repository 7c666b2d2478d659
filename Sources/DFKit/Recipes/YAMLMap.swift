import Yams

/// A YAML mapping that is read key by key, strictly: wrong types, values out of range and keys that
/// nobody asked for are errors that name the place.
struct YAMLMap {
  let file: String
  let path: String
  private let values: [String: Node]
  private let order: [String]
  private var asked: [String] = []

  /// The mapping at the top of a YAML text.
  ///
  /// Recipes are small and flat, and may come from strangers: long texts, deep nesting and aliases
  /// (which can stand for exponentially much) are refused before anything is built from them.
  init(file: String, text: String) throws(RecipeError) {
    try Self.checkSafety(file: file, text: text)
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw RecipeError(file: file, problem: "not valid YAML: \(Self.words(for: error))")
    }
    guard let root else { throw RecipeError(file: file, problem: "the file is empty") }
    try self.init(file: file, path: "", root)
  }

  private init(file: String, path: String, _ node: Node) throws(RecipeError) {
    self.file = file
    self.path = path
    guard case .mapping(let mapping) = node else {
      throw RecipeError(
        file: file, key: path, problem: "must be a mapping of keys to values, not \(node.kind)")
    }
    var values: [String: Node] = [:]
    var order: [String] = []
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else {
        throw RecipeError(file: file, key: path, problem: "keys must be plain words")
      }
      values[scalar.string] = value
      order.append(scalar.string)
    }
    self.values = values
    self.order = order
  }

  /// The value of a key that is there and not null.
  func node(_ key: String) -> Node? {
    guard let node = values[key] else { return nil }
    if case .scalar(let scalar) = node, scalar.style == .plain,
      ["", "~", "null"].contains(scalar.string)
    {
      return nil
    }
    return node
  }

  func error(_ key: String, _ problem: String) -> RecipeError {
    RecipeError(file: file, key: path.isEmpty ? key : "\(path).\(key)", problem: problem)
  }

  func missing(_ key: String, _ allowed: String) -> RecipeError {
    error(key, "is missing; give \(allowed)")
  }

  /// `allowed` is what an error says must be there.
  mutating func string(
    _ key: String, allowed: String = "text"
  ) throws(RecipeError) -> String? {
    asked.append(key)
    guard let node = node(key) else { return nil }
    guard case .scalar(let scalar) = node else {
      throw error(key, "must be \(allowed), not \(node.kind)")
    }
    return scalar.string
  }

  mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(RecipeError) -> Int? {
    let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = try string(key, allowed: allowed) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw error(key, "is '\(text)'; must be \(allowed)")
    }
    return value
  }

  mutating func number(_ key: String, in range: ClosedRange<Float>) throws(RecipeError) -> Float? {
    let allowed = "a number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = try string(key, allowed: allowed) else { return nil }
    guard let value = Float(text), range.contains(value) else {
      throw error(key, "is '\(text)'; must be \(allowed)")
    }
    return value
  }

  mutating func double(
    _ key: String, in range: ClosedRange<Double>
  ) throws(RecipeError) -> Double? {
    let allowed = "a number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = try string(key, allowed: allowed) else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw error(key, "is '\(text)'; must be \(allowed)")
    }
    return value
  }

  mutating func boolean(_ key: String) throws(RecipeError) -> Bool? {
    guard let text = try string(key, allowed: "true or false") else { return nil }
    guard let value = Bool(text) else { throw error(key, "is '\(text)'; must be true or false") }
    return value
  }

  /// A list of `count` numbers.
  mutating func numbers(
    _ key: String, count: Int, in range: ClosedRange<Float>
  ) throws(RecipeError) -> [Float]? {
    asked.append(key)
    guard let node = node(key) else { return nil }
    guard case .sequence(let sequence) = node, sequence.count == count else {
      throw error(key, "must be a list of \(count) numbers")
    }
    var result: [Float] = []
    for item in sequence {
      guard case .scalar(let scalar) = item, let value = Float(scalar.string),
        range.contains(value)
      else {
        throw error(
          key,
          "must hold \(count) numbers from \(range.lowerBound) to \(range.upperBound)")
      }
      result.append(value)
    }
    return result
  }

  /// Whether the value is a certain word.
  mutating func says(_ key: String, _ word: String) -> Bool {
    asked.append(key)
    guard case .scalar(let scalar) = node(key) else { return false }
    return scalar.string == word
  }

  /// A list of texts; a single one counts as a list of it.
  mutating func strings(_ key: String, limit: Int) throws(RecipeError) -> [String]? {
    asked.append(key)
    guard let node = node(key) else { return nil }
    if case .scalar(let scalar) = node { return [scalar.string] }
    guard case .sequence(let sequence) = node, sequence.count <= limit else {
      throw error(key, "must be a list of at most \(limit) texts")
    }
    var result: [String] = []
    for item in sequence {
      guard case .scalar(let scalar) = item else {
        throw error(key, "must hold texts, not \(item.kind)")
      }
      result.append(scalar.string)
    }
    return result
  }

  /// The value under a key that is read elsewhere.
  mutating func anything(_ key: String) -> Node? {
    asked.append(key)
    return node(key)
  }

  /// One of the cases of `type`, by raw value.
  mutating func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, _ type: T.Type
  ) throws(RecipeError) -> T? where T.RawValue == String {
    let allowed = "one of \(T.allCases.map(\.rawValue).joined(separator: ", "))"
    guard let text = try string(key, allowed: allowed) else { return nil }
    guard let value = T(rawValue: text) else {
      throw error(key, "is '\(text)'; must be \(allowed)")
    }
    return value
  }

  /// The mapping under a key; an empty one where the key is missing.
  mutating func map(_ key: String) throws(RecipeError) -> YAMLMap? {
    asked.append(key)
    guard let node = node(key) else { return nil }
    return try YAMLMap(file: file, path: path.isEmpty ? key : "\(path).\(key)", node)
  }

  /// The mappings in the list under a key.
  mutating func maps(_ key: String, limit: Int) throws(RecipeError) -> [YAMLMap]? {
    asked.append(key)
    guard let node = node(key) else { return nil }
    guard case .sequence(let sequence) = node else {
      throw error(key, "must be a list, not \(node.kind)")
    }
    guard sequence.count <= limit else {
      throw error(key, "has \(sequence.count) entries; at most \(limit) are allowed")
    }
    var result: [YAMLMap] = []
    for (index, item) in sequence.enumerated() {
      let place = "\(path.isEmpty ? key : "\(path).\(key)")[\(index)]"
      result.append(try YAMLMap(file: file, path: place, item))
    }
    return result
  }

  /// Throws if the mapping has a key that was not asked for.
  func end() throws(RecipeError) {
    guard let unknown = order.first(where: { !asked.contains($0) }) else { return }
    throw error(unknown, "is not a known key; known here: \(asked.joined(separator: ", "))")
  }
}

extension YAMLMap {
  static let sizeLimit = 64 * 1024
  private static let lineLimit = 1000
  private static let bracketLimit = 500

  /// The parser's message without the lines of the file that it quotes, which may be of any length.
  private static func words(for error: any Error) -> String {
    guard let error = error as? YamlError else { return error.reason }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return "line \(mark.line), column \(mark.column): \(problem)"
    case .reader(let problem, _, _, _): return problem
    case .duplicatedKeysInMapping(let keys, _):
      return "\(keys.map { "'\($0)'" }.joined(separator: ", ")) given more than once"
    default:
      return String(String(describing: error).prefix { $0 != "\n" }.prefix(200))
    }
  }

  private static func checkSafety(file: String, text: String) throws(RecipeError) {
    guard text.utf8.count <= sizeLimit else {
      throw RecipeError(
        file: file, problem: "is larger than \(sizeLimit / 1024) KB, the limit")
    }
    let brackets = text.utf8.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
    guard brackets <= bracketLimit else {
      throw RecipeError(file: file, problem: "has more than \(bracketLimit) brackets")
    }
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      // Blocks nest by indentation, so a short line cannot nest deeply.
      guard line.utf8.count <= lineLimit else {
        throw RecipeError(
          file: file, problem: "line \(index + 1) is longer than \(lineLimit) bytes")
      }
      if startsAliasOrAnchor(line) {
        throw RecipeError(
          file: file,
          problem: "line \(index + 1): anchors (&) and aliases (*) are not allowed here;"
            + " write the values out, or put text that begins with & or * in quotes")
      }
    }
  }

  /// Whether a place in the line where a value can begin has an anchor or an alias.
  private static func startsAliasOrAnchor(_ line: Substring) -> Bool {
    if line.drop(while: { $0 == " " || $0 == "\t" }).first == "#" { return false }
    var valueCanBegin = true
    for character in line {
      switch character {
      case " ", "\t": continue
      case "-", ":", "?", ",", "[", "{": valueCanBegin = true
      case "&", "*":
        if valueCanBegin { return true }
      default: valueCanBegin = false
      }
    }
    return false
  }
}

extension Node {
  /// What the node is, for messages.
  var kind: String {
    switch self {
    case .scalar: "a single value"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}
