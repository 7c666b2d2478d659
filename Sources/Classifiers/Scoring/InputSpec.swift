import DeepfakeCore

/// What a network expects of its input, and how a face crop becomes that.
public struct InputSpec: Sendable, Equatable {
  /// The order of an image's three channels.
  public enum ChannelOrder: String, Sendable, CaseIterable {
    /// Red, green, blue.
    case rgb
    /// Blue, green, red.
    case bgr
  }

  /// How a crop of any shape fills a square.
  public enum Fit: String, Sendable, CaseIterable {
    /// Each axis is scaled by itself.
    case stretch
    /// The longer side is scaled to the size, the rest is zeros (black), half on either side.
    case letterbox
  }

  /// The side of the square input in pixels.
  public var size: Int
  /// Subtracted from each channel, red, green and blue first scaled to 0...1.
  public var mean: [Float]
  /// Then divided by, red, green, blue.
  public var std: [Float]
  /// The channels' order in the input.
  public var channelOrder: ChannelOrder
  /// How crops are brought to the size.
  public var fit: Fit

  /// ImageNet's mean of red, green and blue.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// ImageNet's standard deviation of red, green and blue.
  public static let imageNetStd: [Float] = [0.229, 0.224, 0.225]

  /// An input of `size` pixels; ImageNet's statistics, RGB and stretching unless told otherwise.
  /// `mean` and `std` have three elements, and those of `std` are positive.
  public init(
    size: Int, mean: [Float] = Self.imageNetMean, std: [Float] = Self.imageNetStd,
    channelOrder: ChannelOrder = .rgb, fit: Fit = .stretch
  ) {
    precondition(size > 0, "InputSpec: size \(size) is not positive")
    precondition(
      mean.count == 3 && std.count == 3 && std.allSatisfy { $0 > 0 },
      "InputSpec: mean \(mean) and std \(std) are not three numbers, the latter positive")
    self.size = size
    self.mean = mean
    self.std = std
    self.channelOrder = channelOrder
    self.fit = fit
  }
}
