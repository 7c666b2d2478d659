import Foundation
import Settings

/// What is known of a network besides its weights: by a caller, a recipe or a weights file. What is
/// nil is not known.
///
/// A setting is declared here: as a property; as a row of `fields`, from which its entry in weights
/// files follows; and, if recipes and commands can change it, by its key in `describe`.
///
/// ```swift
/// var settings = NetworkSettings()
/// settings.size = 224
/// settings.fill(from: try ModelMetadata(weights).network)
/// ```
public struct NetworkSettings: Sendable, Equatable {
  /// How a crop gets the network's size.
  public enum Fit: String, Sendable, CaseIterable {
    /// Both sides are scaled to the size.
    case stretch
    /// The longer side is scaled to the size, the rest is filled with black on both sides.
    case letterbox
  }

  /// The network's name: `efficientnet-b4`, `retinaface-mobilenet0.25`. Whether there is such a
  /// network is checked where the settings are used.
  public var architecture: String?
  /// The conventions that keys follow, by name: `timm`. They also decide padding and preprocessing.
  public var scheme: String?
  /// Batch or group norm; nil: as the weights file says.
  public var norm: Norm.Kind?
  /// The groups of group norm, 1 to 1024; 8 where nothing says otherwise.
  public var groups: Int?
  /// The stages that are there, from the first, of a network that can do without the last ones.
  public var stages: Int?
  /// The side of the square input, 32 to 4096 pixels.
  public var size: Int?
  /// Subtracted from red, green and blue (in this order, whatever `channelOrder` says) in 0...1.
  public var mean: [Float]?
  /// What red, green and blue are then divided by; above 0.
  public var std: [Float]?
  /// The order of a pixel's colours.
  public var channelOrder: ChannelOrder?
  /// How crops are brought to the size.
  public var fit: Fit?
  /// Numbers that come out of the network, 1 to 100,000.
  public var classCount: Int?
  /// Whether crops are also seen in a mirror. No file says it.
  public var isMirrored: Bool?

  /// Settings of which nothing is known.
  public init() {}

  /// Takes from `other` what is not known here.
  public mutating func fill(from other: NetworkSettings) {
    for field in Self.fields { field.fill(&self, other) }
    isMirrored = isMirrored ?? other.isMirrored
  }

  /// What a usable side of the square input is, in pixels.
  package static let sizes = 32...4096
  /// What a usable number of groups of group norm is.
  package static let groupCounts = 1...1024
  /// What a usable number of the network's outputs is.
  package static let classCounts = 1...100_000

  /// The first setting whose value cannot be used: its name and why, for people. Nil where all can.
  public var problem: (name: String, reason: String)? {
    for field in Self.fields {
      if let reason = field.problem(self) { return (field.name, reason) }
    }
    return nil
  }
}

extension NetworkSettings: Described {
  /// Describes the settings that a recipe's member and a command's options can change.
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.optional(
      "size", &size, .whole(in: Self.sizes), "The side of the square input in pixels.",
      more: "If absent: the file's metadata, or the scheme's")
    try fields.optional(
      "norm", &norm, .choice, "The normalisation layers.", more: "If absent: told from the file")
    try fields.optional(
      "groups", &groups, .whole(in: Self.groupCounts), "Groups of group norm.",
      more: "Halved in a layer until they divide its channels. If absent: 8")
    try fields.optional(
      "stages", &stages, .whole(in: 1...7),
      "The stages of an EfficientNet that are there, from the first.",
      more: "Its last convolution follows them. If absent: told from the file; all")
    try fields.optional(
      "mean", &mean, .numbers(3, in: 0...1), "Subtracted from red, green and blue in 0 to 1.",
      more: "If absent: the file's metadata, or the scheme's")
    try fields.optional(
      "std", &std, .numbers(3, in: 0.001...10), "What they are then divided by.",
      more: "If absent: the file's metadata, or the scheme's")
    var mirrored = isMirrored ?? false
    try fields.value(
      "mirrored", &mirrored, .flag, isHidden: { !$0 },
      "Whether the mean of a face and its mirror image is judged, which takes twice the time.")
    if mirrored || isMirrored != nil { isMirrored = mirrored }
  }
}

extension NetworkSettings {
  /// A setting that weights files can hold.
  struct Field: Sendable {
    /// Its entry in a file's metadata.
    let entry: String
    /// What people call it.
    let name: String
    /// Takes a file's text; false where that is none of the setting's values.
    let read: @Sendable (String, inout NetworkSettings) -> Bool
    /// The text for a file; nil where the setting is not known.
    let text: @Sendable (NetworkSettings) -> String?
    let fill: @Sendable (inout NetworkSettings, NetworkSettings) -> Void
    /// Why the value cannot be used; nil where it can.
    let problem: @Sendable (NetworkSettings) -> String?

    /// - Parameters:
    ///   - mustBe: What a usable value is, for people; `isUsable` tells which values are.
    fileprivate init<Value>(
      _ entry: String, _ path: WritableKeyPath<NetworkSettings, Value?> & Sendable,
      _ form: MetadataForm<Value>, name: String? = nil, mustBe: String = "",
      isUsable: @escaping @Sendable (Value) -> Bool = { _ in true }
    ) {
      self.entry = entry
      self.name = name ?? entry
      read = { text, settings in
        guard let value = form.read(text) else { return false }
        settings[keyPath: path] = value
        return true
      }
      text = { $0[keyPath: path].map(form.text) }
      fill = { $0[keyPath: path] = $0[keyPath: path] ?? $1[keyPath: path] }
      problem = { settings in
        guard let value = settings[keyPath: path], !isUsable(value) else { return nil }
        return "is \(value); it must be \(mustBe)."
      }
    }

    /// A number within limits.
    fileprivate init(
      _ entry: String, _ path: WritableKeyPath<NetworkSettings, Int?> & Sendable,
      _ form: MetadataForm<Int>, name: String? = nil, mustBe limits: ClosedRange<Int>,
      _ unit: String = ""
    ) {
      let unit = unit.isEmpty ? "" : " \(unit)"
      self.init(
        entry, path, form, name: name,
        mustBe: "\(limits.lowerBound) to \(limits.upperBound)\(unit)"
      ) { limits.contains($0) }
    }
  }

  static let fields: [Field] = [
    Field("architecture", \.architecture, .text),
    Field("scheme", \.scheme, .text),
    Field("norm", \.norm, .choice()),
    Field("groups", \.groups, .count, name: "number of groups", mustBe: groupCounts),
    Field("stages", \.stages, .count),
    Field("size", \.size, .count, mustBe: sizes, "pixels"),
    Field("mean", \.mean, .channels { $0.isFinite }, mustBe: "three numbers") {
      $0.count == 3 && $0.allSatisfy(\.isFinite)
    },
    Field(
      "std", \.std, .channels { $0.isFinite && $0 > 0 }, name: "standard deviation",
      mustBe: "three positive numbers"
    ) { $0.count == 3 && $0.allSatisfy { $0.isFinite && $0 > 0 } },
    Field("channelOrder", \.channelOrder, .choice()),
    Field("fit", \.fit, .choice()),
    Field("classes", \.classCount, .count, name: "number of classes", mustBe: classCounts),
  ]
}

/// How a value is written in a file's metadata, and read from there.
struct MetadataForm<Value>: Sendable {
  /// nil for a text that is none of the values.
  let read: @Sendable (String) -> Value?
  let text: @Sendable (Value) -> String
}

extension MetadataForm<String> {
  static let text = MetadataForm(read: { $0.isEmpty ? nil : $0 }, text: { $0 })
}

extension MetadataForm<Int> {
  static let count = MetadataForm(
    read: { text in Int(text).flatMap { (1...1 << 20).contains($0) ? $0 : nil } }, text: { "\($0)" }
  )
}

extension MetadataForm where Value: RawRepresentable<String> & SendableMetatype {
  static func choice() -> MetadataForm {
    MetadataForm(read: { Value(rawValue: $0) }, text: { $0.rawValue })
  }
}

extension MetadataForm<[Float]> {
  /// Three numbers that are all `valid`, as a JSON list.
  static func channels(_ valid: @escaping @Sendable (Float) -> Bool) -> MetadataForm {
    MetadataForm(
      read: { text in
        let values = try? JSONDecoder().decode([Float].self, from: Data(text.utf8))
        return values.flatMap { $0.count == 3 && $0.allSatisfy(valid) ? $0 : nil }
      }, text: { "[" + $0.map { "\($0)" }.joined(separator: ", ") + "]" })
  }
}
