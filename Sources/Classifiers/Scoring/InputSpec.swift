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
  /// The difference to a later frame, as further channels after the three of the crop.
  public typealias Difference = NetworkSettings.Difference

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
  /// The difference to a later frame, as further channels; nil: the network reads single crops.
  public var difference: Difference?

  /// ImageNet's mean of red, green and blue.
  public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
  /// ImageNet's standard deviation of red, green and blue.
  public static let imageNetStd: [Float] = [0.229, 0.224, 0.225]

  /// Creates an input of `size` pixels; by default with ImageNet's statistics, RGB and stretching.
  /// `mean` and `std` have three elements each, and those of `std` are positive.
  public init(
    size: Int, mean: [Float] = Self.imageNetMean, std: [Float] = Self.imageNetStd,
    channelOrder: ChannelOrder = .rgb, fit: Fit = .stretch, difference: Difference? = nil
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
    self.difference = difference
  }

  /// The number of channels of the input: 3, or 4 or 6 with a difference.
  public var channelCount: Int { 3 + (difference?.channels.count ?? 0) }
}

extension InputSpec {
  /// Changes what `settings` say of the input; they are checked already.
  mutating func apply(_ settings: NetworkSettings) {
    if let size = settings.size { self.size = size }
    if let mean = settings.mean { self.mean = mean }
    if let std = settings.std { self.std = std }
    if let order = settings.channelOrder { channelOrder = order }
    if let fit = settings.fit { self.fit = fit }
    if let seconds = settings.difference {
      difference = Difference(
        seconds: seconds, channels: settings.differenceChannels ?? .luma)
    }
  }

  /// The crops as the network expects them, [crops, size, size, channelCount]. `crops` is not
  /// empty. If the input has a difference, it is 0, as nothing is known of later frames.
  ///
  /// Shrinking averages the pixels of an area; enlarging interpolates bilinearly. A crop that has
  /// the right size is not resampled.
  public func prepare(_ crops: [Image]) -> Tensor {
    prepare(crops.map { MotionCrop($0) })
  }

  /// The crops as the network expects them, [crops, size, size, channelCount]. `crops` is not
  /// empty. The difference is that of the images in the network's size; it is 0 for a crop without
  /// a later one.
  package func prepare(_ crops: [MotionCrop]) -> Tensor {
    tensor(
      ofFitted: crops.map { crop in
        difference == nil ? MotionCrop(fitted(crop.image)) : crop.map(fitted)
      })
  }

  /// The tensor of `prepare` for crops that are fitted to the input already.
  package func tensor(ofFitted crops: [MotionCrop]) -> Tensor {
    let normalization = PixelNormalization(mean: mean, std: std, channelOrder: channelOrder)
    let images = crops.map(\.image)
    guard let difference else { return Tensor(images: images, normalization: normalization) }
    return Tensor(
      images: images, later: crops.map(\.later), difference.channels,
      normalization: normalization)
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
