import CDFKernels

extension Tensor {
  /// Creates a batch [images, height, width, 3 + n] from images of one size and the same places of
  /// later frames: the normalised image, then the difference to the later one.
  ///
  /// A difference is (later - image) / 255 / std, a signed number computed from the bytes without
  /// rounding. The mean is not subtracted: where nothing moves, the difference is 0. With `rgb`,
  /// there are three differences in the order of the normalisation's channels. With `luma`, there
  /// is one, 0.299 red + 0.587 green + 0.114 blue of the differences, divided by the same sum of
  /// the three standard deviations.
  ///
  /// - Parameter later: An image of the same size for each image; nil: its differences are 0.
  package init(
    images: [Image], later: [Image?], _ channels: NetworkSettings.Difference.Channels,
    normalization: PixelNormalization
  ) {
    var shape = Image.batchShape(images)
    let (height, width, depth) = (shape[1], shape[2], 3 + channels.count)
    precondition(
      later.count == images.count
        && later.allSatisfy { $0.map { $0.width == width && $0.height == height } ?? true },
      "Tensor: the later images are not as many and as large as the images")
    shape[3] = depth
    let order: [UInt8] = normalization.channelOrder == .rgb ? [0, 1, 2] : [2, 1, 0]
    let values = normalization.table(order)
    let scales = normalization.differenceScales(channels)
    self.init(shape: shape) { output in
      guard let output = output.baseAddress else { return }
      nonisolated(unsafe) let target = output
      let size = height * width
      Parallel.forEach(images.count) { index in
        let row = target.advanced(by: index * size * depth)
        images[index].pixels.withUnsafeBufferPointer { now in
          for pixel in 0..<size {
            for channel in 0..<3 {
              row[pixel * depth + channel] =
                values[channel][Int(now[3 * pixel + Int(order[channel])])]
            }
          }
          guard let after = later[index] else {
            for pixel in 0..<size {
              for channel in 3..<depth { row[pixel * depth + channel] = 0 }
            }
            return
          }
          after.pixels.withUnsafeBufferPointer { after in
            // Bytes are subtracted as whole numbers: 3 - 5 is -2 and not 254.
            func change(_ pixel: Int, _ color: Int) -> Float {
              Float(Int32(after[3 * pixel + color]) - Int32(now[3 * pixel + color]))
            }
            for pixel in 0..<size {
              let place = pixel * depth + 3
              switch channels {
              case .luma:
                row[place] =
                  change(pixel, 0) * scales[0] + change(pixel, 1) * scales[1]
                  + change(pixel, 2) * scales[2]
              case .rgb:
                for channel in 0..<3 {
                  let color = Int(order[channel])
                  row[place + channel] = change(pixel, color) * scales[color]
                }
              }
            }
          }
        }
      }
    }
  }
}

extension PixelNormalization {
  /// The normalised value of each byte, for each channel of `order`: the same numbers, bit for bit,
  /// as in a batch without differences.
  fileprivate func table(_ order: [UInt8]) -> [[Float]] {
    let (scale, shift) = scaleAndShift(order)
    let ramp = (0..<256).flatMap { [UInt8](repeating: UInt8($0), count: 3) }
    var values = [Float](repeating: 0, count: ramp.count)
    df_u8_normalize(256, ramp, order, scale, shift, &values)
    return (0..<3).map { channel in (0..<256).map { values[3 * $0 + channel] } }
  }

  /// The factors of the changes of red, green and blue.
  fileprivate func differenceScales(_ channels: NetworkSettings.Difference.Channels) -> [Float] {
    switch channels {
    case .rgb: return std.map { Float(1 / (255 * Double($0))) }
    case .luma:
      let luma = [0.299, 0.587, 0.114]
      let deviation = zip(luma, std).reduce(0) { $0 + $1.0 * Double($1.1) }
      return luma.map { Float($0 / (255 * deviation)) }
    }
  }
}
