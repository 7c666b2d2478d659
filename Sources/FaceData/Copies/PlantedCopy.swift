import DeepfakeCore
import Foundation
import MediaIO

/// How a crop is made into a copy of itself, as happens to pictures that go round.
package enum PlantedCopy: String, Sendable, CaseIterable {
  /// The same bytes.
  case identical
  /// JPEG at quality 30 to 95.
  case recompressed
  /// Half to twice the size.
  case resized
  /// Left and right swapped.
  case flipped
  /// Cut up to a tenth to the side and up or down.
  case shifted
  /// Cut with 80 to 120 % of the margin.
  case recropped
  /// Brightness and contrast changed.
  case brightened
  /// Several of these at once.
  case combined

  /// The part of a scene that a crop shows: the middle, so that there is more on all sides to cut a
  /// copy from.
  package static let share: Float = 1 / 1.3

  /// The crop that copies are made of: the scene's middle.
  package static func crop(of scene: Image) -> Image {
    cut(scene, scale: 1, right: 0, down: 0)
  }

  /// A copy of a scene's crop, and the JPEG quality that it is to be saved at.
  package func copy(
    of scene: Image, using generator: inout SeededGenerator
  ) -> (image: Image, quality: Int) {
    func value(_ low: Float, _ high: Float) -> Float { low + (high - low) * generator.uniform() }
    func either() -> Bool { generator.next() & 1 == 0 }
    let all = self == .combined
    var (scale, right, down): (Float, Float, Float) = (1, 0, 0)
    if self == .recropped || all && either() {
      // Not so near to one that it is no re-crop.
      scale = either() ? value(0.8, 0.95) : value(1.05, 1.2)
    }
    if self == .shifted || all && either() {
      // What is left of the scene at this scale bounds the shift.
      let most = min(0.1, (1 / Self.share - scale) / 2)
      (right, down) = (value(-most, most), value(-most, most))
    }
    var image = Self.cut(scene, scale: scale, right: right, down: down)
    if self == .resized || all && either() {
      let factor = value(0.5, 2)
      image = image.resized(
        width: max(8, Int(Float(image.width) * factor)),
        height: max(8, Int(Float(image.height) * factor)), method: either() ? .area : .bilinear)
    }
    if self == .flipped || all && either() { image = image.flippedHorizontally() }
    if self == .brightened || all && either() {
      let (gain, offset) = (value(0.7, 1.3), value(-25, 25))
      image = Image(
        width: image.width, height: image.height,
        pixels: image.pixels.map { UInt8(max(0, min(255, Float($0) * gain + offset))) })
    }
    let quality = self == .recompressed || all ? Int(value(30, 95)) : 90
    return (image, quality)
  }

  private static func cut(_ scene: Image, scale: Float, right: Float, down: Float) -> Image {
    let width = (Float(scene.width) * share).rounded()
    let height = (Float(scene.height) * share).rounded()
    let (cutWidth, cutHeight) = ((width * scale).rounded(), (height * scale).rounded())
    return scene.cropped(
      x: Int((Float(scene.width) - cutWidth) / 2 + right * width),
      y: Int((Float(scene.height) - cutHeight) / 2 + down * height), width: Int(cutWidth),
      height: Int(cutHeight), edges: .replicate)
  }
}
