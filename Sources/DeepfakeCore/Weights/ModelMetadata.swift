import Foundation

/// The description of a network in its weights file: the metadata of dfkit's own safetensors files.
///
/// Every property is one entry of the file's metadata under the property's name; lists are JSON. A
/// file with the entry `dfkit` was written by dfkit and must be well formed. In other files an
/// entry may mean something else, such as the `size` of a converted checkpoint. An entry that does
/// not fit is then kept in `other`.
@dynamicMemberLookup
public struct ModelMetadata: Sendable, Equatable {
  /// The settings of the network. They can also be used as members of the metadata.
  public var network = NetworkSettings()
  /// The margin of a crop around the face on each side, as a fraction of the face box; 0 to 10.
  public var cropMargin: Float?
  /// The meaning of each class, such as `["real", "fake"]`; for a single logit, the meaning of 0
  /// and 1.
  public var labels: [String]?
  /// The name of the recipe that trained the network.
  public var recipe: String?
  /// The SHA-256 of the manifest of the training data, in hexadecimal.
  public var manifestSHA256: String?
  /// The calibration of the network's logit; nil: its sigmoid is the probability. Its entries are
  /// `calibration.scale` and `calibration.offset`.
  public var calibration: LogitCalibration?
  /// Entries that dfkit does not use; they are kept unchanged.
  public var other: [String: String] = [:]

  /// The version of this format, stored as the entry `dfkit`.
  public static let version = "1"

  /// Creates empty metadata.
  public init() {}

  /// A setting of the network.
  public subscript<Value>(
    dynamicMember path: WritableKeyPath<NetworkSettings, Value>
  ) -> Value {
    get { network[keyPath: path] }
    set { network[keyPath: path] = newValue }
  }

  /// Reads the metadata of a state dict.
  ///
  /// - Throws: `WeightsError.unreadable` with the name of an entry that is not valid in dfkit's own
  ///   files.
  public init(_ state: StateDict) throws(WeightsError) {
    try self.init(state.metadata, file: state.file)
  }

  /// Reads the entries of a file's metadata; `file` is the file's name in errors.
  ///
  /// - Throws: `WeightsError.unreadable` with the name of an entry that is not valid in dfkit's own
  ///   files.
  public init(_ metadata: [String: String], file: String) throws(WeightsError) {
    var entries = MetadataEntries(metadata)
    for field in NetworkSettings.fields {
      entries.take(field.entry) { field.read($0, &network) ? () : nil }
    }
    cropMargin = entries.take("cropMargin") {
      Float($0).flatMap { (0...10).contains($0) ? $0 : nil }
    }
    labels = entries.take("labels") {
      try? JSONDecoder().decode([String].self, from: Data($0.utf8))
    }
    recipe = entries.take("recipe") { $0.isEmpty ? nil : $0 }
    manifestSHA256 = entries.take("manifestSHA256") {
      $0.count == 64 && $0.allSatisfy(\.isHexDigit) ? $0.lowercased() : nil
    }
    calibration = entries.takeCalibration()
    if let malformed = entries.malformed {
      throw .unreadable(
        file: file,
        reason: "its metadata entry \(malformed) is not valid")
    }
    other = entries.rest
  }

  /// The entries to store in a file of dfkit's own.
  public var entries: [String: String] {
    var entries = other
    entries["dfkit"] = Self.version
    for field in NetworkSettings.fields { entries[field.entry] = field.text(network) }
    entries["cropMargin"] = cropMargin.map { "\($0)" }
    entries["labels"] = labels.map(Self.encoded)
    entries["recipe"] = recipe
    entries["manifestSHA256"] = manifestSHA256
    entries["calibration.scale"] = calibration.map { "\($0.scale)" }
    entries["calibration.offset"] = calibration.map { "\($0.offset)" }
    return entries
  }

  private static func encoded(_ values: [String]) -> String {
    (try? JSONEncoder().encode(values)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }
}

/// Removes known entries from a file's metadata and parses them.
private struct MetadataEntries {
  private(set) var rest: [String: String]
  /// The first entry that is not valid, in a file that dfkit wrote.
  private(set) var malformed: String?
  private let isOurs: Bool

  init(_ metadata: [String: String]) {
    rest = metadata
    isOurs = rest.removeValue(forKey: "dfkit") != nil
  }

  /// The calibration if both numbers are valid. A single number counts as no calibration.
  mutating func takeCalibration() -> LogitCalibration? {
    let keys = ["calibration.scale", "calibration.offset"]
    let numbers = keys.map { key in rest[key].flatMap { Double($0) } }
    if let scale = numbers[0], let offset = numbers[1],
      let calibration = LogitCalibration(scale: scale, offset: offset)
    {
      for key in keys { rest[key] = nil }
      return calibration
    }
    guard isOurs, malformed == nil, keys.contains(where: { rest[$0] != nil }) else { return nil }
    malformed = keys.map { "\($0) = \"\((rest[$0] ?? "").prefix(40))\"" }.joined(separator: ", ")
    return nil
  }

  @discardableResult
  mutating func take<T>(_ name: String, _ parse: (String) -> T?) -> T? {
    guard let text = rest[name] else { return nil }
    if let value = parse(text) {
      rest[name] = nil
      return value
    }
    if isOurs, malformed == nil { malformed = "\(name) = \"\(text.prefix(80))\"" }
    return nil
  }
}
