import DeepfakeCore

extension Image {
  /// The picture reduced to at most `count` colours, as in a GIF: a palette by median cut (Heckbert
  /// 1982) with error diffusion (Floyd and Steinberg 1976). `count` is 1 to 256.
  package func dithered(colors count: Int) -> Image {
    precondition((1...256).contains(count), "dithered: \(count) colours")
    let palette = palette(count)
    var nearest: [UInt32: Int] = [:]
    func place(_ color: SIMD3<Float>) -> Int {
      let color = color.clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 255))
      // Cache the nearest colour. Two neighbouring values of each channel share an entry, so there
      // are about 2 million.
      let coarse = SIMD3<UInt32>(color / 2)
      let key = coarse.x << 16 | coarse.y << 8 | coarse.z
      if let known = nearest[key] { return known }
      var (best, least) = (0, Float.infinity)
      for (index, candidate) in palette.enumerated() {
        let difference = candidate - color
        let distance = (difference * difference).sum()
        if distance < least { (best, least) = (index, distance) }
      }
      nearest[key] = best
      return best
    }
    let zero = SIMD3<Float>.zero
    var errors = [SIMD3<Float>](repeating: zero, count: width + 2)
    return Image(width: width, height: height) { target in
      for y in 0..<height {
        var below = [SIMD3<Float>](repeating: zero, count: width + 2)
        var ahead = zero
        for x in 0..<width {
          let i = 3 * (y * width + x)
          let own = SIMD3(Float(pixels[i]), Float(pixels[i + 1]), Float(pixels[i + 2]))
          let wanted = own + errors[x + 1] + ahead
          let chosen = palette[place(wanted)]
          let error = (wanted - chosen) / 16
          ahead = error * 7
          below[x] += error * 3
          below[x + 1] += error * 5
          below[x + 2] += error
          for c in 0..<3 { target[i + c] = UInt8(chosen[c]) }
        }
        errors = below
      }
    }
  }

  /// A palette by median cut: boxes of colours are cut at the median of their widest channel until
  /// there are `count`. A box's colour is the mean of its pixels. At most about 16,000 pixels are
  /// sampled.
  private func palette(_ count: Int) -> [SIMD3<Float>] {
    let step = max(1, width * height / 16_384)
    let samples = stride(from: 0, to: width * height, by: step).map {
      SIMD3(Float(pixels[3 * $0]), Float(pixels[3 * $0 + 1]), Float(pixels[3 * $0 + 2]))
    }
    var boxes = [ColorBox(samples)]
    while boxes.count < count {
      guard let widest = boxes.indices.max(by: { boxes[$0].weight < boxes[$1].weight }),
        let halves = boxes[widest].halves
      else { break }
      boxes[widest] = halves.0
      boxes.append(halves.1)
    }
    return boxes.map(\.mean)
  }
}

/// The colours of pixels that become one entry of the palette.
private struct ColorBox {
  let colors: [SIMD3<Float>]
  /// The channel with the widest range of values, and that range.
  let channel: Int
  let range: Float

  init(_ colors: [SIMD3<Float>]) {
    self.colors = colors
    var (low, high) = (colors[0], colors[0])
    for color in colors {
      low = pointwiseMin(low, color)
      high = pointwiseMax(high, color)
    }
    let widths = high - low
    channel = (0..<3).max { widths[$0] < widths[$1] } ?? 0
    range = widths[channel]
  }

  /// The box with the highest weight is cut first: a wide box with many pixels.
  var weight: Float { range * Float(colors.count) }

  /// The mean colour, rounded to whole numbers.
  var mean: SIMD3<Float> {
    (colors.reduce(.zero, +) / Float(colors.count)).rounded(.toNearestOrEven)
  }

  /// The two halves of the box; nil if all its colours are equal.
  var halves: (ColorBox, ColorBox)? {
    guard range > 0 else { return nil }
    let sorted = colors.sorted { $0[channel] < $1[channel] }
    // Never cut between equal values, so that no colour is in both halves.
    let median = sorted[sorted.count / 2][channel]
    let least = sorted[0][channel]
    let cut = sorted.firstIndex { $0[channel] > (median == least ? least : median - 0.5) }
    guard let cut, cut > 0, cut < sorted.count else { return nil }
    return (ColorBox(Array(sorted[..<cut])), ColorBox(Array(sorted[cut...])))
  }
}
