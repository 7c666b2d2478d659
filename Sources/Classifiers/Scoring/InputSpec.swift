import DeepfakeCore

/// The input that a network expects, and the conversion of face crops to it.
///
/// ```swift
/// var input = InputSpec(size: 224)
/// input.fit = .letterbox
/// let batch = input.prepare(crops)  // [crops, 224, 224, 3]
/// ```
public struct InputSpec: Sendable, Equatable {
  /// How a crop that is not square fills the square input.
  public typealias Fit = NetworkSettings.Fit

  /// The side of the square input in pixels.
  public var size: Int
  /// The mean of red, green and blue, subtracted after scaling to 0...1.
  public var mean: [Float]
  /// The standard deviation of red, green and blue, by which the result is divided.
  public var std: [Float]
  /// The order of the channels in the input.
  public var channelOrder: ChannelOrder
  /// How crops are resized to the input's size.
  public var fit: Fit

  /// ImageNet's mean of red, green and blue.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// ImageNet's standard deviation of red, green and blue.
  public static let imageNetStd: [Float] = [0.229, 0.224, 0.225]

  /// Creates an input of `size` pixels; by default with ImageNet's statistics, RGB and stretching.
  /// `mean` and `std` have three elements each, and those of `std` are positive.
  public init(
    size: Int, mean: [Float] = Self.imageNetMean, std: [Float] = Self.imageNetStd,
    channelOrder: ChannelOrder = .rgb, fit: Fit = .stretch
  ) {
    precondition(size > 0, "InputSpec: size \(size) is not positive")
    precondition(
      mean.count == 3 && std.count == 3 && std.allSatisfy { $0 > 0 },
      "InputSpec: mean \(mean) and std \(std) must be three numbers each; std positive")
    self.size = size
    self.mean = mean
    self.std = std
    self.channelOrder = channelOrder
    self.fit = fit
  }
}

extension InputSpec {
  /// Changes what `settings` say of the input; they are checked already.
  mutating func apply(_ settings: NetworkSettings) {
    if let size = settings.size { self.size = size }
    if let mean = settings.mean { self.mean = mean }
    if let std = settings.std { self.std = std }
    if let order = settings.channelOrder { channelOrder = order }
    if let fit = settings.fit { self.fit = fit }
  }

  /// The crops as the network expects them, [crops, size, size, 3]. `crops` is not empty.
  ///
  /// Shrinking averages the pixels of an area; enlarging interpolates bilinearly. A crop that has
  /// the right size is not resampled.
  public func prepare(_ crops: [Image]) -> Tensor {
    Tensor(
      images: crops.map(fitted),
      normalization: PixelNormalization(mean: mean, std: std, channelOrder: channelOrder))
  }

  /// The crop as a square image of `size` pixels.
  package func fitted(_ crop: Image) -> Image {
    switch fit {
    case .stretch:
      return crop.resized(width: size, height: size, method: .area)
    case .letterbox:
      // The shorter side is rounded down; an odd row or column of padding goes to the end.
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
