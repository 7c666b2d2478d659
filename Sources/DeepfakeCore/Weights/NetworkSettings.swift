import Foundation

/// What is known of a network besides its weights: by a caller, a recipe or a weights file. What is
/// nil is not known.
///
/// A setting is declared here: as a property, and as a row of `fields`, from which follow its entry
/// in weights files, its range, and that a caller's word comes before a file's.
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

  /// The first setting whose value cannot be used: its name and why, for people. Nil where all can.
  public var problem: (name: String, reason: String)? {
    for field in Self.fields {
      if let reason = field.problem(self) { return (field.name, reason) }
    }
    return nil
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
  }

  static let fields: [Field] = [
    Field("architecture", \.architecture, .text),
    Field("scheme", \.scheme, .text),
    Field("norm", \.norm, .choice()),
    Field("groups", \.groups, .count, name: "number of groups", mustBe: "1 to 1024") {
      (1...1024).contains($0)
    },
    Field("stages", \.stages, .count),
    Field("size", \.size, .count, mustBe: "32 to 4096 pixels") { (32...4096).contains($0) },
    Field("mean", \.mean, .channels { $0.isFinite }, mustBe: "three numbers") {
      $0.count == 3 && $0.allSatisfy(\.isFinite)
    },
    Field(
      "std", \.std, .channels { $0.isFinite && $0 > 0 }, name: "standard deviation",
      mustBe: "three positive numbers"
    ) { $0.count == 3 && $0.allSatisfy { $0.isFinite && $0 > 0 } },
    Field("channelOrder", \.channelOrder, .choice()),
    Field("fit", \.fit, .choice()),
    Field("classes", \.classCount, .count, name: "number of classes", mustBe: "1 to 100000") {
      (1...100_000).contains($0)
    },
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
