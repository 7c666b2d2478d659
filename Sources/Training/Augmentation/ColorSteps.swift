import CDFKernels
import DeepfakeCore
import Foundation
import Settings

/// Multiplies brightness by a random factor, then contrast around the mean grey by another.
package struct BrightnessContrast: AugmentationOperation {
  /// The name in recipes.
  package static let name = "brightnessContrast"
  /// The sentence about it in the reference.
  package static let help = "Changes brightness and contrast."
  /// The range of the brightness factor, minus 1.
  package var brightness: ClosedRange<Float>
  /// The range of the contrast factor, minus 1.
  package var contrast: ClosedRange<Float>

  /// Both factors are 0.8 to 1.2.
  package init() { self.init(brightness: -0.2...0.2, contrast: -0.2...0.2) }

  package init(brightness: ClosedRange<Float>, contrast: ClosedRange<Float>) {
    self.brightness = brightness
    self.contrast = contrast
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "brightness", &brightness, .span(in: -1...3, isSymmetric: true),
      "The factor of the brightness, minus 1.")
    try fields.value(
      "contrast", &contrast, .span(in: -1...3, isSymmetric: true),
      "The factor of the contrast, minus 1.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let light = 1 + generator.uniform(in: brightness)
    let spread = 1 + generator.uniform(in: contrast)
    face.change { $0.withBrightness(light, contrast: spread) }
  }
}

/// Shifts hue, saturation and value by random amounts.
package struct HueSaturationValue: AugmentationOperation {
  /// The name in recipes.
  package static let name = "hueSaturationValue"
  /// The sentence about it in the reference.
  package static let help = "Changes hue, saturation and value."
  /// The range of the hue shift, in degrees.
  package var hue: ClosedRange<Float>
  /// The range of the change of saturation, which is 0 to 1.
  package var saturation: ClosedRange<Float>
  /// The range of the change of value, which is 0 to 1.
  package var value: ClosedRange<Float>

  /// Hue by up to 40 degrees, saturation by up to 0.12 and value by up to 0.08, up or down.
  package init() { self.init(hue: -40...40) }

  package init(
    hue: ClosedRange<Float>, saturation: ClosedRange<Float> = -0.12...0.12,
    value: ClosedRange<Float> = -0.08...0.08
  ) {
    self.hue = hue
    self.saturation = saturation
    self.value = value
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value(
      "hue", &hue, .span(in: -180...180, isSymmetric: true),
      "The change of hue, in degrees.")
    try fields.value(
      "saturation", &saturation, .span(in: -1...1, isSymmetric: true),
      "The change of saturation.")
    try fields.value("value", &value, .span(in: -1...1, isSymmetric: true), "The change of value.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let turn = generator.uniform(in: hue) / 360
    let saturation = generator.uniform(in: saturation)
    let value = generator.uniform(in: value)
    face.change { $0.shifted(hue: turn, saturation: saturation, value: value) }
  }
}

/// Raises each channel, scaled to 0...1, to a random power.
package struct Gamma: AugmentationOperation {
  /// The name in recipes.
  package static let name = "gamma"
  /// The sentence about it in the reference.
  package static let help = "Raises pixel values to a power."
  /// The range of the exponent.
  package var gamma: ClosedRange<Float>

  /// The exponent is 0.8 to 1.2.
  package init() { self.init(gamma: 0.8...1.2) }

  package init(gamma: ClosedRange<Float>) { self.gamma = gamma }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.value("gamma", &gamma, .span(in: 0.05...20), "The exponent.")
  }

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    let exponent = generator.uniform(in: gamma)
    face.change { $0.withGamma(exponent) }
  }
}

/// Converts the crop to shades of grey.
package struct Greyscale: AugmentationOperation {
  /// The name in recipes.
  package static let name = "grey"
  /// The sentence about it in the reference.
  package static let help = "Converts the crop to shades of grey."

  package init() {}

  /// There are no parameters.
  package mutating func describe(_ fields: inout SettingFields) {}

  package func apply(to face: inout AugmentedFace, using generator: inout SeededGenerator) {
    face.change { $0.grey() }
  }
}

extension Image {
  /// An image of the same size that `body` writes.
  func rewritten(
    _ body: (_ old: UnsafePointer<UInt8>, _ new: UnsafeMutablePointer<UInt8>) -> Void
  ) -> Image {
    Image(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        guard let old = source.baseAddress, let new = target.baseAddress else { return }
        body(old, new)
      }
    }
  }

  private func lookedUp(_ table: [UInt8]) -> Image {
    rewritten { df_u8_look_up(width * height * 3, $0, table, $1) }
  }

  /// Multiplies brightness by a factor, then contrast around the mean grey (ITU-R BT.601) by
  /// another. The same as torchvision's `adjust_brightness` followed by `adjust_contrast`.
  public func withBrightness(_ brightness: Float, contrast: Float) -> Image {
    let lit = (0..<256).map { Self.byte(Float($0) * brightness) }
    guard contrast != 1 else { return lookedUp(lit) }
    var counts = [UInt32](repeating: 0, count: 3 * 256)
    pixels.withUnsafeBufferPointer {
      df_u8_histograms(width * height, $0.baseAddress, &counts)
    }
    var grey = 0.0
    for (channel, weight) in [0.299, 0.587, 0.114].enumerated() {
      for value in 0..<256 {
        grey += weight * Double(counts[channel * 256 + value]) * Double(lit[value])
      }
    }
    let mean = Float(grey / Double(width * height))
    let table = lit.map { Self.byte(mean + contrast * (Float($0) - mean)) }
    return lookedUp(table)
  }

  /// Raises every channel, scaled to 0...1, to the power of `gamma`.
  public func withGamma(_ gamma: Float) -> Image {
    let table = (0..<256).map { Self.byte(255 * pow(Float($0) / 255, gamma)) }
    return lookedUp(table)
  }

  /// Shifts the hue by `hue` (1 is a full turn) and adds to saturation and value, which are 0 to 1.
  public func shifted(hue: Float, saturation: Float, value: Float) -> Image {
    rewritten { df_u8_shift_hsv(width * height, $0, hue, saturation, value, $1) }
  }

  /// The image in shades of grey (ITU-R BT.601).
  public func grey() -> Image {
    rewritten { df_u8_grey(width * height, $0, $1) }
  }

  private static func byte(_ value: Float) -> UInt8 {
    UInt8(min(max(value, 0), 255).rounded())
  }
}
