import CDFKernels

/// The order of a pixel's three channels.
public enum ChannelOrder: String, Sendable, Codable, CaseIterable {
  /// Red, green, blue.
  case rgb
  /// Blue, green, red.
  case bgr
}

/// The conversion of bytes to a network's input: (byte / 255 - mean) / std, in the given channel
/// order.
public struct PixelNormalization: Sendable, Equatable {
  /// The values to subtract, for red, green and blue in this order, whatever `channelOrder` is.
  public let mean: [Float]
  /// The values to divide by, for red, green and blue in this order, whatever `channelOrder` is.
  public let std: [Float]
  /// The order of the channels in the network's input.
  public let channelOrder: ChannelOrder

  /// Creates a normalisation. By default bytes are scaled to 0...1 in the order RGB.
  public init(
    mean: [Float] = [0, 0, 0], std: [Float] = [1, 1, 1], channelOrder: ChannelOrder = .rgb
  ) {
    precondition(
      mean.count == 3 && std.count == 3 && !std.contains(0),
      "PixelNormalization: mean \(mean) and std \(std) must be three numbers each; std not zero")
    self.mean = mean
    self.std = std
    self.channelOrder = channelOrder
  }
}

extension PixelNormalization {
  /// The factor and the summand for the bytes of each channel, for the channels in `order` (0 red,
  /// 1 green, 2 blue). They are computed in double precision and rounded at the end.
  func scaleAndShift(_ order: [UInt8]) -> (scale: [Float], shift: [Float]) {
    (
      order.map { Float(1 / (255 * Double(std[Int($0)]))) },
      order.map { Float(-Double(mean[Int($0)]) / Double(std[Int($0)])) }
    )
  }
}

extension Image {
  /// The shape [images, height, width, 3] of a list of images, which must not be empty and must all
  /// have the same size.
  static func batchShape(_ images: [Image]) -> [Int] {
    precondition(!images.isEmpty, "Tensor: no images")
    let (width, height) = (images[0].width, images[0].height)
    precondition(
      images.allSatisfy { $0.width == width && $0.height == height },
      "Tensor: images of \(images.map { "\($0.width)x\($0.height)" }) are not of one size")
    return [images.count, height, width, 3]
  }
}

extension Tensor {
  /// Creates a batch [images, height, width, 3] from images of one size.
  public init(images: [Image], normalization: PixelNormalization) {
    let shape = Image.batchShape(images)
    let (height, width) = (shape[1], shape[2])
    let order: [UInt8] = normalization.channelOrder == .rgb ? [0, 1, 2] : [2, 1, 0]
    let (scale, shift) = normalization.scaleAndShift(order)
    self.init(shape: shape) { output in
      nonisolated(unsafe) let output = output.baseAddress
      let blockRows = Swift.max(1, (1 << 15) / width)
      let blocks = height.dividedRoundingUp(by: blockRows)
      Parallel.forEach(images.count * blocks) { unit in
        let (index, first) = (unit / blocks, unit % blocks * blockRows)
        images[index].pixels.withUnsafeBufferPointer { bytes in
          df_u8_normalize(
            Swift.min(blockRows, height - first) * width,
            bytes.baseAddress?.advanced(by: first * width * 3), order, scale, shift,
            output?.advanced(by: (index * height + first) * width * 3))
        }
      }
    }
  }
}

extension Image {
  /// The image as a batch of one, [1, height, width, 3].
  public func tensor(_ normalization: PixelNormalization) -> Tensor {
    Tensor(images: [self], normalization: normalization)
  }
}
