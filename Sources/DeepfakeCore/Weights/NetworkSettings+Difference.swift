import Settings

extension NetworkSettings {
  /// The difference to a later frame of the same video, as further channels of a network's input.
  ///
  /// Both crops are cut by the same box. The later frame is chosen by its time, so that videos of
  /// 25 and of 60 frames per second show the same motion.
  public struct Difference: Sendable, Equatable {
    /// The values of a pixel whose change from a frame to the later one the network reads.
    public enum Channels: String, Sendable, CaseIterable {
      /// The luma (ITU-R BT.601): one more channel.
      case luma
      /// Each of the three colours: three more channels, in the input's order of colours.
      case rgb

      /// The number of further channels.
      public var count: Int { self == .luma ? 1 : 3 }

      /// The channels that are this many; nil if none are.
      package init?(count: Int) {
        guard let channels = Self.allCases.first(where: { $0.count == count }) else { return nil }
        self = channels
      }
    }

    /// The time from a frame to the later one, in seconds, 0.001 to 2.
    public var seconds: Float
    /// The values of a pixel whose change is read.
    public var channels: Channels

    /// Creates a difference; by default of the luma.
    public init(seconds: Float, channels: Channels = .luma) {
      self.seconds = seconds
      self.channels = channels
    }

    /// The usable times, in seconds.
    package static let times: ClosedRange<Float> = 0.001...2
  }
}

/// The section `input` of a recipe's member.
struct InputSection: Described {
  var difference: Float?
  var channels: NetworkSettings.Difference.Channels?

  mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.optional(
      "difference", &difference, .number(in: NetworkSettings.Difference.times),
      """
      The time from a frame to a later one, in seconds, whose difference is a further input of the \
      network.
      """,
      more: """
        The later frame is the one nearest to that time, at least one frame later, and its crop is \
        cut by the same box (`Docs/Training.md`). All members with a difference need the same \
        time. If absent: from the file's metadata, or no difference
        """)
    try fields.optional(
      "channels", &channels, .choice, "What is subtracted.",
      more: """
        `luma`: the brightness, one more channel; `rgb`: each colour, three more channels. If \
        absent: recognised from the file; in training, `luma`
        """)
  }
}

extension NetworkSettings {
  /// The settings of the input's further channels; nil if all are unknown.
  var inputSection: InputSection? {
    get {
      difference == nil && differenceChannels == nil
        ? nil : InputSection(difference: difference, channels: differenceChannels)
    }
    set {
      difference = newValue?.difference
      differenceChannels = newValue?.channels
    }
  }
}
