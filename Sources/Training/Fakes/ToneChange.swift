import CDFKernels
import DeepfakeCore
import Foundation

/// A small random change of a picture's colours and sharpness, applied to one of two copies of it
/// (the source-target augmentation of Shiohara and Yamasaki 2022).
///
/// All random numbers are drawn in `init`, so the same change can be applied to several pictures.
struct ToneChange: Sendable, Equatable {
  /// The change of sharpness.
  enum Sharpness: Sendable, Equatable {
    /// No change.
    case asItIs
    /// The picture is scaled by this factor, below 1, and back to its size.
    case smaller(Float)
    /// Details are amplified by 1 plus this amount.
    case sharper(Float)
  }

  /// Added to red, green and blue.
  var shift: SIMD3<Float>
  /// Brightness factor.
  var brightness: Float
  /// Contrast factor around mid grey (128).
  var contrast: Float
  /// Hue shift; 1 is a full turn. If hue, saturation and value are all 0, none of them changes.
  var hue: Float
  /// Added to the saturation, 0 to 1.
  var saturation: Float
  /// Added to the value, 0 to 1.
  var value: Float
  var sharpness: Sharpness

  /// A random change, `strength` times as large as by default.
  init(strength: Float, using generator: inout SeededGenerator) {
    // Always draws all numbers, so later draws of the generator do not depend on earlier choices.
    func draw(_ most: Float) -> Float { (2 * generator.uniform() - 1) * most * strength }
    let shifted = generator.uniform() < 0.5
    let shift = SIMD3(draw(20), draw(20), draw(20))
    self.shift = shifted ? shift : .zero
    let turned = generator.uniform() < 0.5
    let (hue, saturation, value) = (draw(0.02), draw(0.12), draw(0.08))
    (self.hue, self.saturation, self.value) = turned ? (hue, saturation, value) : (0, 0, 0)
    brightness = 1 + draw(0.12)
    contrast = 1 + draw(0.12)
    let kind = generator.uniform()
    let amount = generator.uniform()
    switch kind {
    case ..<0.4: sharpness = .smaller(1 / (1 + 3 * amount * min(strength, 2)))
    case ..<0.8: sharpness = .sharper((0.3 + 1.2 * amount) * strength)
    default: sharpness = .asItIs
    }
  }

  /// Returns the changed picture, of the same size.
  func callAsFunction(_ image: Image) -> Image {
    var changed = image.lookedUp(byChannel: table)
    if hue != 0 || saturation != 0 || value != 0 {
      changed = changed.shifted(hue: hue, saturation: saturation, value: value)
    }
    switch sharpness {
    case .asItIs: return changed
    case .sharper(let amount): return changed.sharpened(amount)
    case .smaller(let factor):
      return changed.resized(
        width: max(1, Int((Float(image.width) * factor).rounded())),
        height: max(1, Int((Float(image.height) * factor).rounded())), method: .area
      ).resized(width: image.width, height: image.height, method: .bilinear)
    }
  }

  private var table: [UInt8] {
    (0..<3).flatMap { channel in
      (0..<256).map { value -> UInt8 in
        let lit = (Float(value) + shift[channel]) * brightness
        return UInt8(min(max(128 + (lit - 128) * contrast, 0), 255).rounded())
      }
    }
  }
}

extension Image {
  /// Looks up each channel in its own table: 256 values of red, then of green and of blue.
  func lookedUp(byChannel table: [UInt8]) -> Image {
    rewritten { df_u8_look_up_channels(width * height, $0, table, $1) }
  }

  /// Adds `amount` times the details, which are the difference to a slightly blurred copy.
  func sharpened(_ amount: Float) -> Image {
    rewritten { df_u8_sharpen(height, width, $0, amount, $1) }
  }
}
