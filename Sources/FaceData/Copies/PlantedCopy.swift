import DeepfakeCore
import Foundation
import MediaIO

/// A way to turn a crop into a copy, as happens to pictures that are shared and edited.
package enum PlantedCopy: String, Sendable, CaseIterable {
  /// The file's bytes are the same.
  case identical
  /// Saved as JPEG at quality 30 to 95.
  case recompressed
  /// Scaled to 0.5 to 2 times the size.
  case resized
  /// Mirrored left to right.
  case flipped
  /// Cropped up to a tenth of the crop's size further left or right and up or down.
  case shifted
  /// Cropped at 80 to 95 % or 105 to 120 % of the size.
  case recropped
  /// Brightness shifted by up to 25 and contrast scaled by 0.7 to 1.3.
  case brightened
  /// Several of these changes at once.
  case combined

  /// The fraction of a scene's width and height that a crop shows. The crop is the scene's middle,
  /// so there is room on all sides to cut a different crop.
  package static let share: Float = 1 / 1.3

  /// The original crop: the scene's middle.
  package static func crop(of scene: Image) -> Image {
    cut(scene, scale: 1, right: 0, down: 0)
  }

  /// A changed copy of a scene's crop, and the JPEG quality to save it at.
  package func copy(
    of scene: Image, using generator: inout SeededGenerator
  ) -> (image: Image, quality: Int) {
    func value(_ low: Float, _ high: Float) -> Float { low + (high - low) * generator.uniform() }
    func either() -> Bool { generator.next() & 1 == 0 }
    let all = self == .combined
    var (scale, right, down): (Float, Float, Float) = (1, 0, 0)
    if self == .recropped || all && either() {
      // The range around 1 is left out: it would be no re-crop.
      scale = either() ? value(0.8, 0.95) : value(1.05, 1.2)
    }
    if self == .shifted || all && either() {
      // The margin of the scene that remains at this scale limits the shift.
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
