import Foundation
import Settings

extension NetworkSettings {
  /// The settings of an LSTM that judges a person's frames together, by the features that a network
  /// finds in each of them.
  ///
  /// ```swift
  /// var sequence = NetworkSettings.FrameSequence()
  /// sequence.hidden = 512
  /// sequence.levels = 2
  /// ```
  public struct FrameSequence: Sendable, Equatable, Codable {
    /// The way to make one vector of the LSTM's outputs for all frames.
    public enum Pooling: String, Sendable, CaseIterable, Codable {
      /// The output for the last frame. With both directions, the backward half has then seen that
      /// frame only.
      case last
      /// The mean of the outputs.
      case mean
      /// The largest value of each output.
      case maximum
    }

    /// The choice of a clip's frames from all frames of a person.
    public enum Clips: String, Sendable, CaseIterable, Codable {
      /// Evenly spread over all frames. `predict` judges such frames.
      case spread
      /// Frames that follow each other. More frames are judged in several clips, whose logits are
      /// averaged.
      case consecutive
    }

    /// The number of values of the LSTM's state in each direction, 1 to 4096.
    public var hidden = 128
    /// The number of LSTMs, each of which reads the outputs of the one before, 1 to 8.
    public var levels = 1
    /// Whether the frames are also read from the last to the first.
    public var isTwoWay = true
    /// The way to make one vector of all outputs.
    public var pooling: Pooling = .mean
    /// The largest number of frames of a clip in training, 1 to 512.
    public var frames = 16
    /// The choice of a clip's frames.
    public var clips: Clips = .spread

    /// An LSTM of one level with 128 values in each direction, over up to 16 frames that are evenly
    /// spread.
    public init() {}

    /// The number of the LSTM's outputs for each frame.
    public var outputs: Int { hidden * (isTwoWay ? 2 : 1) }

    static let hiddenSizes = 1...4096
    static let levelCounts = 1...8
    static let frameCounts = 1...512

    /// Whether all numbers are within their limits.
    var isUsable: Bool {
      Self.hiddenSizes.contains(hidden) && Self.levelCounts.contains(levels)
        && Self.frameCounts.contains(frames)
    }
  }
}

extension NetworkSettings.FrameSequence: Described {
  /// Describes the settings that a recipe's member of the kind `sequence` has.
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "hidden", &hidden, .whole(in: Self.hiddenSizes),
      "The number of values of the LSTM's state in each direction.")
    try fields.value(
      "levels", &levels, .whole(in: Self.levelCounts),
      "The number of LSTMs, each of which reads the outputs of the one before.")
    try fields.value(
      "bothDirections", &isTwoWay, .flag,
      "Whether the frames are also read from the last to the first.")
    try fields.value(
      "pooling", &pooling, .choice, "How the outputs for all frames become one vector.",
      more: "`last`: the output for the last frame; `maximum`: the largest value of each output")
    try fields.value(
      "clipFrames", &frames, .whole(in: Self.frameCounts),
      "The largest number of frames of a clip in training.")
    try fields.value(
      "clips", &clips, .choice, "Which frames of a person make a clip.",
      more: """
        `spread`: evenly spread over all frames, as `predict` chooses them; `consecutive`: frames \
        that follow each other. More frames than `clipFrames` are then judged in several clips, \
        whose logits are averaged
        """)
  }
}

extension MetadataForm<NetworkSettings.FrameSequence> {
  /// The settings as a JSON object.
  static let json = MetadataForm(
    read: { text in
      guard text.utf8.count < 4096,
        let settings = try? JSONDecoder().decode(
          NetworkSettings.FrameSequence.self, from: Data(text.utf8)),
        settings.isUsable
      else { return nil }
      return settings
    },
    text: { settings in
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return (try? encoder.encode(settings)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    })
}
