import DeepfakeCore

/// A coarse grid over a crop; each cell says how strongly that place indicates "fake".
package struct HeatMap: Sendable, Equatable {
  /// Number of columns.
  package let width: Int
  /// Number of rows.
  package let height: Int
  /// The cells' values, row by row, in units of the logit per cell; 0 where nothing indicates
  /// "fake".
  package let values: [Float]

  /// Creates a map of `width` x `height` values.
  package init(width: Int, height: Int, values: [Float]) {
    precondition(
      width > 0 && height > 0 && values.count == width * height,
      "HeatMap: \(values.count) values for \(width)x\(height)")
    self.width = width
    self.height = height
    self.values = values
  }

  /// The values divided by the highest; all 0 if the highest is 0.
  package var normalized: [Float] {
    let highest = values.max() ?? 0
    return highest > 0 ? values.map { $0 / highest } : values.map { _ in 0 }
  }

  /// The mean of several maps' normalised values, on a grid with the largest width and height among
  /// them; nil if there are no maps.
  package static func mean(_ maps: [HeatMap]) -> HeatMap? {
    guard let width = maps.map(\.width).max(), let height = maps.map(\.height).max() else {
      return nil
    }
    var values = [Float](repeating: 0, count: width * height)
    for map in maps {
      for (place, value) in map.resampled(width: width, height: height).enumerated() {
        values[place] += value / Float(maps.count)
      }
    }
    return HeatMap(width: width, height: height, values: values)
  }

  /// Draws the normalised map over an image, interpolated bilinearly. It is transparent where
  /// nothing indicates "fake"; stronger places go from yellow to red.
  ///
  /// - Parameter strength: The opacity of the strongest places, 0 to 1.
  package func drawn(over image: Image, strength: Float = 0.6) -> Image {
    let heats = resampled(width: image.width, height: image.height)
    var result = image
    for y in 0..<image.height {
      for x in 0..<image.width {
        let heat = heats[y * image.width + x]
        guard heat > 0.02 else { continue }
        let cover = strength * heat
        let pixel = image[x, y]
        // From yellow (255, 214, 10) to red (215, 0, 21).
        func mixed(_ old: UInt8, _ low: Float, _ high: Float) -> UInt8 {
          let color = low + (high - low) * heat
          return UInt8((Float(old) * (1 - cover) + color * cover).rounded())
        }
        result[x, y] = (
          mixed(pixel.red, 255, 215), mixed(pixel.green, 214, 0), mixed(pixel.blue, 10, 21)
        )
      }
    }
    return result
  }

  /// The normalised values on a grid of another size, interpolated bilinearly between cell centres.
  private func resampled(width: Int, height: Int) -> [Float] {
    let normalized = normalized
    var values: [Float] = []
    values.reserveCapacity(width * height)
    for y in 0..<height {
      for x in 0..<width {
        values.append(
          Self.sample(
            normalized, self.width, self.height,
            (Float(x) + 0.5) / Float(width) * Float(self.width) - 0.5,
            (Float(y) + 0.5) / Float(height) * Float(self.height) - 0.5))
      }
    }
    return values
  }

  private static func sample(
    _ values: [Float], _ width: Int, _ height: Int, _ x: Float, _ y: Float
  ) -> Float {
    let x = min(max(x, 0), Float(width - 1))
    let y = min(max(y, 0), Float(height - 1))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (partX, partY) = (x - Float(left), y - Float(top))
    let upper =
      values[top * width + left] * (1 - partX) + values[top * width + right] * partX
    let lower =
      values[bottom * width + left] * (1 - partX) + values[bottom * width + right] * partX
    return upper * (1 - partY) + lower * partY
  }
}
