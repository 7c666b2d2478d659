import CDFKernels
import DeepfakeCore
import Foundation

/// A slight change of a picture's colours and sharpness, by which one of two copies of it differs
/// from the other (the source-target augmentation of Shiohara and Yamasaki 2022).
///
/// All of it is drawn when it is made, so that pictures can be changed alike.
struct ToneChange: Sendable, Equatable {
  /// What is done about sharpness.
  enum Sharpness: Sendable, Equatable {
    /// Nothing.
    case asItIs
    /// The picture is made this much smaller, and as large as it was again.
    case smaller(Float)
    /// Details are made this much stronger.
    case sharper(Float)
  }

  /// What is added to red, green and blue.
  var shift: SIMD3<Float>
  /// The factor of brightness.
  var brightness: Float
  /// The factor of the distance from the middle grey.
  var contrast: Float
  /// A turn of hues (1 is a whole one); 0 leaves the three as they are.
  var hue: Float
  /// What is added to the saturation.
  var saturation: Float
  /// What is added to the value.
  var value: Float
  var sharpness: Sharpness

  /// A random change; `strength` times as much as usual.
  init(strength: Float, using generator: inout SeededGenerator) {
    // All is drawn in any case: a generator's later numbers do not depend on earlier choices.
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

  /// The picture changed.
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
  /// Each channel by a table of its own: 256 values of red, then of green and blue.
  func lookedUp(byChannel table: [UInt8]) -> Image {
    rewritten { df_u8_look_up_channels(width * height, $0, table, $1) }
  }

  /// Details, what a small blur takes away, added `amount` times.
  func sharpened(_ amount: Float) -> Image {
    rewritten { df_u8_sharpen(height, width, $0, amount, $1) }
  }
}
