import Foundation

/// What a weights file says of the network that it belongs to, so that nobody has to say it again: the
/// metadata of dfkit's own safetensors files.
///
/// Every field is one entry of the file's metadata, named as the property; lists are JSON. A file with
/// the entry `dfkit` was written by dfkit and must be well formed. In any other file (a converted
/// checkpoint's `size` may mean something else) an entry that does not fit is left in `other`.
public struct ModelMetadata: Sendable, Equatable, Codable {
  /// How a network normalises its activations.
  public enum Norm: String, Sendable, Codable, CaseIterable {
    /// Batch normalisation with running statistics.
    case batch
    /// Group normalisation (Wu and He 2018).
    case group
  }

  /// How a crop gets the network's size.
  public enum Fit: String, Sendable, Codable, CaseIterable {
    /// Both sides are scaled to the size.
    case stretch
    /// The longer side is scaled to the size, the rest is filled with black on both sides.
    case letterbox
  }

  /// The network: `efficientnet-b4`, `xception`, `retinaface-mobilenet0.25`.
  public var architecture: String?
  /// The names and conventions that the keys follow: `timm`, `timm-tf`, `torchvision`, `lukemelas`.
  public var scheme: String?
  /// The kind of norm.
  public var norm: Norm?
  /// Groups of a group norm.
  public var groups: Int?
  /// Stages of the network that are there, from the first; nil for all.
  public var stages: Int?
  /// Pixels on a side of the input.
  public var size: Int?
  /// What is subtracted from red, green and blue (in this order, whatever `channelOrder` says), for
  /// values from 0 to 1.
  public var mean: [Float]?
  /// What red, green and blue are then divided by.
  public var std: [Float]?
  /// The order of a pixel's colours.
  public var channelOrder: ChannelOrder?
  /// How a crop gets the network's size.
  public var fit: Fit?
  /// Numbers that come out of the network.
  public var classes: Int?
  /// What a crop has around the face on each side, as a fraction of the box.
  public var cropMargin: Float?
  /// What each class means, `["real", "fake"]`; for a single logit, what 0 and 1 mean.
  public var labels: [String]?
  /// The recipe that trained the network.
  public var recipe: String?
  /// SHA-256 of the manifest of the training data, in hexadecimal.
  public var manifestSHA256: String?
  /// What makes the logit a probability; nil where the sigmoid does. Its entries are `calibration.scale`
  /// and `calibration.offset`.
  public var calibration: LogitCalibration?
  /// Entries without a meaning here, kept as they are.
  public var other: [String: String] = [:]

  /// The form of the entries, under `dfkit` in the file.
  public static let version = "1"

  /// Metadata that says nothing.
  public init() {}

  /// Reads the metadata of a state dict.
  /// - Throws: `WeightsError.unreadable` naming an entry that a file of dfkit's own must not have.
  public init(_ state: StateDict) throws(WeightsError) {
    try self.init(state.metadata, file: state.file)
  }

  /// Reads the entries of a file's metadata.
  public init(_ metadata: [String: String], file: String) throws(WeightsError) {
    var entries = MetadataEntries(metadata)
    architecture = entries.take("architecture") { $0.isEmpty ? nil : $0 }
    scheme = entries.take("scheme") { $0.isEmpty ? nil : $0 }
    norm = entries.take("norm", Norm.init)
    groups = entries.take("groups", Self.positive)
    stages = entries.take("stages", Self.positive)
    size = entries.take("size", Self.positive)
    mean = entries.take("mean") { Self.channels($0) { $0.isFinite } }
    std = entries.take("std") { Self.channels($0) { $0.isFinite && $0 > 0 } }
    channelOrder = entries.take("channelOrder", ChannelOrder.init)
    fit = entries.take("fit", Fit.init)
    classes = entries.take("classes", Self.positive)
    cropMargin = entries.take("cropMargin") {
      Float($0).flatMap { (0...10).contains($0) ? $0 : nil }
    }
    labels = entries.take("labels") { Self.decoded([String].self, $0) }
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
    entries["architecture"] = architecture
    entries["scheme"] = scheme
    entries["norm"] = norm?.rawValue
    entries["groups"] = groups.map(String.init)
    entries["stages"] = stages.map(String.init)
    entries["size"] = size.map(String.init)
    entries["mean"] = mean.map(Self.encoded)
    entries["std"] = std.map(Self.encoded)
    entries["channelOrder"] = channelOrder?.rawValue
    entries["fit"] = fit?.rawValue
    entries["classes"] = classes.map(String.init)
    entries["cropMargin"] = cropMargin.map { "\($0)" }
    entries["labels"] = labels.map(Self.encoded)
    entries["recipe"] = recipe
    entries["manifestSHA256"] = manifestSHA256
    entries["calibration.scale"] = calibration.map { "\($0.scale)" }
    entries["calibration.offset"] = calibration.map { "\($0.offset)" }
    return entries
  }

  private static func positive(_ text: String) -> Int? {
    Int(text).flatMap { (1...1 << 20).contains($0) ? $0 : nil }
  }

  private static func channels(_ text: String, _ valid: (Float) -> Bool) -> [Float]? {
    guard let values = decoded([Float].self, text), values.count == 3, values.allSatisfy(valid)
    else { return nil }
    return values
  }

  private static func decoded<T: Decodable>(_ type: T.Type, _ text: String) -> T? {
    try? JSONDecoder().decode(type, from: Data(text.utf8))
  }

  private static func encoded(_ values: [Float]) -> String {
    "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
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
