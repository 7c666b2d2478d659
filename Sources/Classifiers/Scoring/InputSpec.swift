import DeepfakeCore

/// What a network expects of its input, and how a face crop becomes that.
///
/// ```swift
/// var input = InputSpec(size: 224)
/// input.fit = .letterbox
/// let batch = input.prepare(crops)  // [crops, 224, 224, 3]
/// ```
public struct InputSpec: Sendable, Equatable {
  /// How a crop of any shape fills a square.
  public typealias Fit = NetworkSettings.Fit

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

extension InputSpec {
  /// The crops as the network expects them, [crops, size, size, 3]; there is at least one.
  ///
  /// Where a side shrinks, pixels are averaged over the area they come from; where it grows, they
  /// are interpolated bilinearly. A crop that has the size already is taken as it is.
  public func prepare(_ crops: [Image]) -> Tensor {
    Tensor(
      images: crops.map(fitted),
      normalization: PixelNormalization(mean: mean, std: std, channelOrder: channelOrder))
  }

  /// The crop as a square of `size`.
  package func fitted(_ crop: Image) -> Image {
    switch fit {
    case .stretch:
      return crop.resized(width: size, height: size, method: .area)
    case .letterbox:
      // The shorter side is rounded down, the odd row or column of padding goes to the end.
      let scale = Double(size) / Double(max(crop.width, crop.height))
      let wide = crop.width > crop.height
      let width = wide ? size : max(1, Int(Double(crop.width) * scale))
      let height = wide ? max(1, Int(Double(crop.height) * scale)) : size
      return crop.resized(width: width, height: height, method: .area).cropped(
        x: -((size - width) / 2), y: -((size - height) / 2), width: size, height: size,
        edges: .black)
    }
  }
}
