import CDFKernels
import DeepfakeCore
import Foundation
import MediaIO
import Settings

/// Gaussian blur with a random standard deviation.
package struct GaussianBlur: AugmentationOperation {
  /// The name in recipes.
  package static let name = "blur"
  /// The sentence about it in the reference.
  package static let help = "Gaussian blur."
  /// The range of the standard deviation, in pixels.
  package var sigma: ClosedRange<Float>

  /// A standard deviation of 0.5 to 2 pixels.
  package init() { self.init(sigma: 0.5...2) }

  package init(sigma: ClosedRange<Float>) { self.sigma = sigma }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("sigma", &sigma, .span(in: 0...20), "The standard deviation, in pixels.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let sigma = generator.uniform(in: sigma)
    face.change { $0.blurred(sigma: sigma) }
  }
}

/// Motion blur: along a straight line of random length and direction.
package struct MotionBlur: AugmentationOperation {
  /// The name in recipes.
  package static let name = "motionBlur"
  /// The sentence about it in the reference.
  package static let help = "Blur along a straight line of any direction."
  /// The range of the line's length, in pixels.
  package var length: ClosedRange<Float>

  /// A length of 3 to 9 pixels.
  package init() { self.init(length: 3...9) }

  package init(length: ClosedRange<Float>) { self.length = length }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("length", &length, .span(in: 1...50), "The line's length, in pixels.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let length = generator.uniform(in: length)
    let angle = generator.uniform() * .pi
    face.change { $0.smeared(length: length, angle: angle) }
  }
}

/// Adds noise like that of a camera.
package struct Noise: AugmentationOperation {
  /// The name in recipes.
  package static let name = "noise"
  /// The sentence about it in the reference.
  package static let help = "Noise like that of a camera."
  /// How the noise of the three channels is related.
  package enum Kind: String, Sendable, CaseIterable {
    /// Each channel has its own noise.
    case colored
    /// All channels have the same noise.
    case grey
  }

  /// The range of the standard deviation in black, as a fraction of white.
  package var deviation: ClosedRange<Float>
  /// The range of the shot noise: its standard deviation in white, as a fraction of white. Light
  /// comes in photons, whose noise grows with the square root of the light.
  package var shot: ClosedRange<Float>
  /// How the noise of the three channels is related.
  package var kind: Kind

  /// A deviation of 0.01 to 0.05, no shot noise, coloured.
  package init() { self.init(deviation: 0.01...0.05) }

  package init(
    deviation: ClosedRange<Float>, shot: ClosedRange<Float> = 0...0, kind: Kind = .colored
  ) {
    self.deviation = deviation
    self.shot = shot
    self.kind = kind
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "deviation", &deviation, .span(in: 0...1),
      "The standard deviation in black, as a part of white.")
    try fields.value(
      "shot", &shot, .span(in: 0...1),
      "The standard deviation of shot noise in white, as a part of white.")
    try fields.value(
      "kind", &kind, .choice,
      "Whether each channel has noise of its own, or all have the same.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let deviation = generator.uniform(in: deviation)
    let shot = generator.uniform(in: shot)
    let seed = generator.next()
    face.change {
      $0.withNoise(deviation: deviation, shot: shot, isGrey: kind == .grey, seed: seed)
    }
  }
}

/// Compresses the crop as JPEG at a random quality, and decompresses it.
package struct JPEGCompression: AugmentationOperation {
  /// The name in recipes.
  package static let name = "jpeg"
  /// The sentence about it in the reference.
  package static let help = "JPEG compression."
  /// The range of the quality, within 1 to 100.
  package var quality: ClosedRange<Int>

  /// A quality of 40 to 95.
  package init() { self.init(quality: 40...95) }

  package init(quality: ClosedRange<Int>) { self.quality = quality }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("quality", &quality, .span(in: 1...100), "The quality of the JPEG.")
  }

  /// Compresses and decompresses the crop. A crop with a side above 65535 pixels, which JPEG cannot
  /// hold, is not changed.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let quality = generator.integer(in: quality)
    face.change { (try? ImageFile.recompressed($0, quality: quality)) ?? $0 }
  }
}

/// Scales the crop down and back to its size.
package struct Downscale: AugmentationOperation {
  /// The name in recipes.
  package static let name = "downscale"
  /// The sentence about it in the reference.
  package static let help = "Scales the crop down and up again."
  /// The range of the small size, as a fraction of the crop's.
  package var factor: ClosedRange<Float>

  /// A fraction of 0.35 to 0.9.
  package init() { self.init(factor: 0.35...0.9) }

  package init(factor: ClosedRange<Float>) { self.factor = factor }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "factor", &factor, .span(in: 0.02...1),
      "The factor by which the crop is scaled down, before it is scaled up again.")
  }

  /// Scales the crop down by area and up by bilinear interpolation.
  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let factor = generator.uniform(in: factor)
    face.change { image in
      let width = max(1, Int((Float(image.width) * factor).rounded()))
      let height = max(1, Int((Float(image.height) * factor).rounded()))
      return image.resized(width: width, height: height, method: .area)
        .resized(width: image.width, height: image.height, method: .bilinear)
    }
  }
}

extension Image {
  /// The image blurred by a Gaussian of `sigma` pixels, cut off at three sigma. Edges are mirrored,
  /// as in OpenCV and torchvision.
  public func blurred(sigma: Float) -> Image {
    let radius = Int((3 * sigma).rounded(.up))
    guard sigma > 0, radius > 0 else { return self }
    let weights = (-radius...radius).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    let taps = zip(-radius...radius, weights).map { (Int32($0), $1 / total) }
    return filtered(taps.map { df_tap(right: $0, down: 0, weight: $1) })
      .filtered(taps.map { df_tap(right: 0, down: $0, weight: $1) })
  }

  /// The image blurred along a line of `length` pixels, `angle` radians from the horizontal,
  /// clockwise as seen.
  public func smeared(length: Float, angle: Float) -> Image {
    filtered(Self.lineTaps(length: length, angle: angle))
  }

  /// The filter of a line: the share of each pixel around its middle. The line is a set of points,
  /// each spread over the four nearest pixels.
  private static func lineTaps(length: Float, angle: Float) -> [df_tap] {
    let steps = max(1, Int((length * 2).rounded(.up)))
    var shares: [SIMD2<Int32>: Float] = [:]
    for step in 0..<steps {
      let along = ((Float(step) + 0.5) / Float(steps) - 0.5) * length
      let (x, y) = (along * cos(angle), along * sin(angle))
      let (left, top) = (x.rounded(.down), y.rounded(.down))
      for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let share =
          (1 - abs(x - left - Float(dx))) * (1 - abs(y - top - Float(dy))) / Float(steps)
        guard share > 1e-6 else { continue }
        shares[SIMD2(Int32(left) + Int32(dx), Int32(top) + Int32(dy)), default: 0] += share
      }
    }
    // A fixed order, since the sums of floats depend on it.
    return shares.sorted { ($0.key.y, $0.key.x) < ($1.key.y, $1.key.x) }
      .map { df_tap(right: $0.key.x, down: $0.key.y, weight: $0.value) }
  }

  private func filtered(_ taps: [df_tap]) -> Image {
    rewritten {
      let done = df_u8_filter(height, width, $0, taps.count, taps, $1)
      precondition(done, "Image: out of memory")
    }
  }

  /// The image with normal noise. At a channel value v (0 is black, 1 is white) the standard
  /// deviation is sqrt(`deviation`^2 + `shot`^2 v), as a fraction of white.
  public func withNoise(deviation: Float, shot: Float, isGrey: Bool, seed: UInt64) -> Image {
    let deviations = (0..<256).map { value in
      255 * (deviation * deviation + shot * shot * Float(value) / 255).squareRoot()
    }
    return rewritten {
      df_u8_add_noise(
        width * height, $0, deviations, normalQuantiles, seed, isGrey, $1)
    }
  }
}

/// 4096 evenly spaced quantiles of the standard normal distribution. A random one of them is
/// normally distributed, as exactly as bytes can show.
private let normalQuantiles: [Float] = (0..<4096).map { index in
  // Inverts the error function by bisection. This is slow, but runs once, and is exact to the last
  // digit.
  let wanted = (Double(index) + 0.5) / 4096
  var (low, high) = (-5.0, 5.0)
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if erfc(-middle / 2.0.squareRoot()) / 2 < wanted { low = middle } else { high = middle }
  }
  return Float((low + high) / 2)
}
