import Settings
import Yams

/// Reads and writes settings as YAML text.
///
/// Recipes are small and flat, and may come from untrusted sources. Long texts, deep nesting and
/// aliases (which can expand exponentially) are therefore refused before the text is parsed.
enum YAMLText {
  /// Reads the mapping at the top level of a text.
  ///
  /// - Parameter file: The name of the text in errors.
  /// - Throws: `RecipeError` if the text is unsafe, not valid YAML or not a mapping.
  static func read(_ text: String, file: String) throws(RecipeError) -> [SettingEntry] {
    try checkSafety(file: file, text: text)
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      throw RecipeError(file: file, problem: "not valid YAML: \(words(for: error))")
    }
    guard let root else { throw RecipeError(file: file, problem: "the file is empty") }
    let value: SettingValue
    do {
      value = try SettingValue(root, "")
    } catch {
      throw RecipeError(file: file, error)
    }
    guard case .map(let entries) = value else {
      throw RecipeError(
        file: file, problem: "must be a mapping of keys to values, not \(value.kind)")
    }
    return entries
  }

  /// The YAML text of settings. Reading it gives the same settings.
  static func write(_ entries: [SettingEntry]) -> String {
    // Serializing text, lists and mappings cannot fail.
    let node = SettingValue.map(entries).node
    return (try? Yams.serialize(node: node, width: 100, allowUnicode: true)) ?? ""
  }

  static let sizeLimit = 64 * 1024
  private static let lineLimit = 1000
  private static let bracketLimit = 500

  /// The parser's message without the quoted lines of the file, which may be long.
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
      // Block nesting needs indentation, so short lines cannot nest deeply.
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

  /// Whether the line has an anchor or alias at a place where a value can begin.
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

extension SettingValue {
  fileprivate init(_ node: Node, _ place: String) throws(SettingError) {
    switch node {
    case .scalar(let scalar):
      let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
      self = isNothing ? .nothing : .text(scalar.string)
    case .sequence(let sequence):
      var values: [SettingValue] = []
      for (index, item) in sequence.enumerated() {
        values.append(try SettingValue(item, "\(place)[\(index)]"))
      }
      self = .list(values)
    case .mapping(let mapping):
      var entries: [SettingEntry] = []
      for (key, value) in mapping {
        guard case .scalar(let scalar) = key else {
          throw SettingError(key: place, problem: "keys must be plain words")
        }
        let inner = place.isEmpty ? scalar.string : "\(place).\(scalar.string)"
        entries.append(SettingEntry(scalar.string, try SettingValue(value, inner)))
      }
      self = .map(entries)
    case .alias: throw SettingError(key: place, problem: "must not be an alias")
    }
  }

  /// Lists of plain values go on one line, everything else on a line for each value. Text that YAML
  /// would read as null or as syntax is quoted.
  fileprivate var node: Node {
    switch self {
    case .nothing: return Node("", .implicit, .plain)
    case .text(let text):
      let special =
        ["", "~", "null"].contains(text) || text.contains { "&*#:\"'{}[],%@`!|>\n".contains($0) }
      return Node(text, .implicit, special ? .doubleQuoted : .any)
    case .list(let values):
      let isPlain = values.allSatisfy { if case .map = $0 { false } else { true } }
      return .sequence(
        Node.Sequence(values.map(\.node), .implicit, isPlain ? .flow : .any))
    case .map(let entries):
      return Node(entries.map { (Node($0.key), $0.value.node) })
    }
  }
}
