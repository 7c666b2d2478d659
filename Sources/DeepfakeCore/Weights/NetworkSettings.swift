import Foundation
import Settings

/// The known settings of a network besides its weights, from a caller, a recipe or a weights file.
/// Nil means unknown.
///
/// A setting is declared here as a property and as a row of `fields`, which defines its entry in
/// weights files. If recipes and command options can change it, `describe` states its key, limits
/// and help. A caller's value has priority over a file's.
///
/// ```swift
/// var settings = NetworkSettings()
/// settings.size = 224
/// settings.fill(from: try ModelMetadata(weights).network)
/// ```
public struct NetworkSettings: Sendable, Equatable {
  /// The way to bring a crop to the network's size.
  public enum Fit: String, Sendable, CaseIterable {
    /// Both sides are scaled to the size, which can change the aspect ratio.
    case stretch
    /// The longer side is scaled to the size; the shorter side is filled up with black at both
    /// ends.
    case letterbox
  }

  /// The network's name, such as `efficientnet-b4` or `retinaface-mobilenet0.25`. Using the
  /// settings checks whether such a network exists.
  public var architecture: String?
  /// The name of the conventions for keys, such as `timm`. They also decide padding and
  /// preprocessing.
  public var scheme: String?
  /// Batch or group norm; nil: the kind in the weights file.
  public var norm: Norm.Kind?
  /// The number of groups of group norm, 1 to 1024; the default is 8.
  public var groups: Int?
  /// The number of stages, counted from the first, of a network that can work without its last
  /// stages.
  public var stages: Int?
  /// The side of the square input, 32 to 4096 pixels.
  public var size: Int?
  /// The values to subtract from red, green and blue in 0...1, in this order whatever
  /// `channelOrder` is.
  public var mean: [Float]?
  /// The values to divide red, green and blue by after that, above 0.
  public var std: [Float]?
  /// The order of the channels of a pixel.
  public var channelOrder: ChannelOrder?
  /// The way to bring crops to the size.
  public var fit: Fit?
  /// The time, in seconds, to the later frame whose difference is a further input, 0.001 to 2. Nil
  /// in a file's settings: the network reads single crops.
  public var difference: Float?
  /// The channels of that difference; nil: by the file's first layer, or `luma`.
  public var differenceChannels: Difference.Channels?
  /// The number of outputs of the network, 1 to 100,000.
  public var classCount: Int?
  /// The LSTM that judges a person's frames by the network's features; nil: the network judges
  /// each frame alone.
  public var sequence: NetworkSettings.FrameSequence?
  /// Whether crops are also evaluated mirrored. Weights files do not store this.
  public var isMirrored: Bool?

  /// Creates settings in which everything is unknown.
  public init() {}

  /// Takes the settings that are unknown here from `other`.
  public mutating func fill(from other: NetworkSettings) {
    for field in Self.fields { field.fill(&self, other) }
    isMirrored = isMirrored ?? other.isMirrored
  }

  /// The usable sides of the square input, in pixels.
  package static let sizes = 32...4096
  /// The usable numbers of groups of group norm.
  package static let groupCounts = 1...1024
  /// The usable numbers of outputs.
  package static let classCounts = 1...100_000

  /// The name of the first setting with an unusable value, and the reason for users. Nil if all are
  /// usable.
  public var problem: (name: String, reason: String)? {
    for field in Self.fields {
      if let reason = field.problem(self) { return (field.name, reason) }
    }
    return nil
  }
}

extension NetworkSettings: Described {
  /// Describes the settings that a recipe's member and a command's options can change. The kind of
  /// the member, which `sequence` belongs to, is described by the member.
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.optional(
      "size", &size, .whole(in: Self.sizes), "The side of the square input, in pixels.",
      more: "If absent: from the file's metadata, or the default of the scheme")
    try fields.optional(
      "norm", &norm, .choice, "The kind of normalisation layers.",
      more: "If absent: recognised from the file")
    try fields.optional(
      "groups", &groups, .whole(in: Self.groupCounts), "The number of groups of group norm.",
      more: "In each layer it is halved until it divides the number of channels. If absent: 8")
    try fields.optional(
      "stages", &stages, .whole(in: 1...7),
      "The number of an EfficientNet's stages to use, from the first.",
      more: """
        Its last convolution follows them. If absent: recognised from the file; in training, all
        """)
    try fields.optional(
      "mean", &mean, .numbers(3, in: 0...1),
      "The values subtracted from red, green and blue, which are 0 to 1.",
      more: "If absent: from the file's metadata, or the default of the scheme")
    try fields.optional(
      "std", &std, .numbers(3, in: 0.001...10),
      "The values by which red, green and blue are then divided.",
      more: "If absent: from the file's metadata, or the default of the scheme")
    try fields.section(
      "input", &inputSection, from: InputSection(),
      "Further channels of the input: the motion from a frame to a later one.")
    var mirrored = isMirrored ?? false
    try fields.value(
      "mirrored", &mirrored, .flag, isHidden: { !$0 },
      "Whether to use the mean score of a face and its mirror image, which takes twice the time.")
    if mirrored || isMirrored != nil { isMirrored = mirrored }
  }
}

extension NetworkSettings {
  /// A setting that weights files can store.
  struct Field: Sendable {
    /// The name of its entry in a file's metadata.
    let entry: String
    /// The name of the setting in messages.
    let name: String
    /// Sets the value from a file's text; false if the text is not a valid value.
    let read: @Sendable (String, inout NetworkSettings) -> Bool
    /// The text to store in a file; nil if the setting is unknown.
    let text: @Sendable (NetworkSettings) -> String?
    let fill: @Sendable (inout NetworkSettings, NetworkSettings) -> Void
    /// The reason why the value cannot be used; nil if it can.
    let problem: @Sendable (NetworkSettings) -> String?

    /// - Parameters:
    ///   - mustBe: The description of usable values for messages.
    ///   - isUsable: Whether a value is usable.
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
    Field(
      "difference", \.difference, .number,
      mustBe: "\(Difference.times.lowerBound) to \(Difference.times.upperBound) seconds"
    ) { Difference.times.contains($0) },
    Field(
      "differenceChannels", \.differenceChannels, .choice(), name: "channels of the difference"),
    Field("classes", \.classCount, .count, name: "number of classes", mustBe: classCounts),
    Field(
      "sequence", \.sequence, .json, mustBe: "within the limits of its numbers",
      isUsable: \.isUsable),
  ]
}

/// The text form of a value in a file's metadata.
struct MetadataForm<Value>: Sendable {
  /// Parses a text; nil if it is not a valid value.
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

extension MetadataForm<Float> {
  static let number = MetadataForm(
    read: { text in Float(text).flatMap { $0.isFinite ? $0 : nil } }, text: { "\($0)" })
}

extension MetadataForm where Value: RawRepresentable<String> & SendableMetatype {
  static func choice() -> MetadataForm {
    MetadataForm(read: { Value(rawValue: $0) }, text: { $0.rawValue })
  }
}

extension MetadataForm<[Float]> {
  /// Three numbers as a JSON list, all of which must be `valid`.
  static func channels(_ valid: @escaping @Sendable (Float) -> Bool) -> MetadataForm {
    MetadataForm(
      read: { text in
        let values = try? JSONDecoder().decode([Float].self, from: Data(text.utf8))
        return values.flatMap { $0.count == 3 && $0.allSatisfy(valid) ? $0 : nil }
      }, text: { "[" + $0.map { "\($0)" }.joined(separator: ", ") + "]" })
  }
}
