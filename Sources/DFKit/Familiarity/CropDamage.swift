import DeepfakeCore
import MediaIO

/// Damage that makes crops unlike training data. Used to test whether familiarity limits detect it.
package enum CropDamage: String, Sendable, CaseIterable {
  /// Converted to grey.
  case grey
  /// Reduced to 256 colours with dithering, as in a GIF.
  case gif
  /// Gaussian blur with a standard deviation of 1/50 of the longer side.
  case blurred
  /// Scaled to a quarter of the width and height.
  case shrunk
  /// Compressed as JPEG with quality 10.
  case jpeg

  /// The name in tables.
  package var words: String {
    switch self {
    case .grey: "grey"
    case .gif: "GIF, 256 colours"
    case .blurred: "blurred"
    case .shrunk: "a quarter as large"
    case .jpeg: "JPEG of quality 10"
    }
  }

  /// The damaged crop. If JPEG compression fails, the crop is returned unchanged.
  package func callAsFunction(_ crop: Image) -> Image {
    switch self {
    case .grey: return crop.grey()
    case .gif: return crop.dithered(colors: 256)
    case .blurred: return crop.blurred(sigma: Float(max(crop.width, crop.height)) / 50)
    case .shrunk:
      return crop.resized(
        width: max(1, crop.width / 4), height: max(1, crop.height / 4), method: .area)
    case .jpeg: return (try? ImageFile.recompressed(crop, quality: 10)) ?? crop
    }
  }
}
