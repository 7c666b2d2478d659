import Foundation

/// What a weights file says of the network that it belongs to, so that nobody has to say it again:
/// the metadata of dfkit's own safetensors files.
///
/// Every field is one entry of the file's metadata, named as the property; lists are JSON. A file
/// with the entry `dfkit` was written by dfkit and must be well formed. In any other file (a
/// converted checkpoint's `size` may mean something else) an entry that does not fit is left in
/// `other`.
@dynamicMemberLookup
public struct ModelMetadata: Sendable, Equatable {
  /// What the file says of the network itself; its settings are members of the metadata as well.
  public var network = NetworkSettings()
  /// What a crop has around the face on each side, as a fraction of the box.
  public var cropMargin: Float?
  /// What each class means, `["real", "fake"]`; for a single logit, what 0 and 1 mean.
  public var labels: [String]?
  /// The recipe that trained the network.
  public var recipe: String?
  /// SHA-256 of the manifest of the training data, in hexadecimal.
  public var manifestSHA256: String?
  /// What makes the logit a probability; nil where the sigmoid does. Its entries are
  /// `calibration.scale` and `calibration.offset`.
  public var calibration: LogitCalibration?
  /// Entries without a meaning here, kept as they are.
  public var other: [String: String] = [:]

  /// The form of the entries, under `dfkit` in the file.
  public static let version = "1"

  /// Metadata that says nothing.
  public init() {}

  /// A setting of the network.
  public subscript<Value>(
    dynamicMember path: WritableKeyPath<NetworkSettings, Value>
  ) -> Value {
    get { network[keyPath: path] }
    set { network[keyPath: path] = newValue }
  }

  /// Reads the metadata of a state dict.
  /// - Throws: `WeightsError.unreadable` naming an entry that a file of dfkit's own must not have.
  public init(_ state: StateDict) throws(WeightsError) {
    try self.init(state.metadata, file: state.file)
  }

  /// Reads the entries of a file's metadata.
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
        reason: "its metadata \(malformed) is not what dfkit \(Self.version) writes there")
    }
    other = entries.rest
  }

  /// The entries for a file of dfkit's own.
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

/// Takes known entries out of a file's metadata.
private struct MetadataEntries {
  private(set) var rest: [String: String]
  /// The first entry that does not fit, in a file that dfkit wrote.
  private(set) var malformed: String?
  private let isOurs: Bool

  init(_ metadata: [String: String]) {
    rest = metadata
    isOurs = rest.removeValue(forKey: "dfkit") != nil
  }

  /// Both numbers or none: half a calibration is none.
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
