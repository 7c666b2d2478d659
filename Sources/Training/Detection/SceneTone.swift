import DeepfakeCore
import Foundation

/// A change of light in a part of a scene: gain and gamma of each channel, and a brightness
/// gradient across the part.
struct SceneTone: Sendable {
  /// New values of each red, green and blue value: 3 x 256.
  private var table: [Float]
  /// Relative change of brightness from the middle to the right border, and to the lower border.
  private var ramp: (x: Float, y: Float)

  /// A random change; a `strength` of 0 changes nothing.
  init(strength: Float, using generator: inout SeededGenerator) {
    let gain = exp(0.45 * strength * generator.normal())
    let gamma = exp(0.3 * strength * generator.normal())
    let isGrey = generator.uniform() < 0.15
    table = []
    table.reserveCapacity(768)
    for _ in 0..<3 {
      let cast = isGrey ? 1 : exp(0.12 * strength * generator.normal())
      let scale = min(max(gain * cast, 0.15), 3)
      for value in 0..<256 { table.append(255 * scale * pow(Float(value) / 255, gamma)) }
    }
    let isEven = generator.uniform() < 0.5
    ramp =
      isEven
      ? (0, 0)
      : (
        strength * generator.uniform(in: -0.6...0.6), strength * generator.uniform(in: -0.5...0.5)
      )
  }

  /// The picture with the change.
  func applied(to image: Image) -> Image {
    let (width, height) = (image.width, image.height)
    return Image(width: width, height: height) { target in
      image.pixels.withUnsafeBufferPointer { source in
        table.withUnsafeBufferPointer { table in
          var place = 0
          for row in 0..<height {
            let down = 1 + ramp.y * (2 * Float(row) / Float(height) - 1)
            let step = ramp.x * 2 / Float(width)
            var light = down - ramp.x
            for _ in 0..<width {
              for channel in 0..<3 {
                let value = table[256 * channel + Int(source[place])] * light
                target[place] = UInt8(min(max(value, 0), 255))
                place += 1
              }
              light += step
            }
          }
        }
      }
    }
  }
}
