import DeepfakeCore
import MediaIO
import Training

/// What footage goes through that makes it unlike what networks learn from: to see whether a
/// familiarity notices.
package enum CropDamage: String, Sendable, CaseIterable {
  /// Without colour.
  case grey
  /// 256 colours and dithering, as in a GIF.
  case gif
  /// Blurred by a Gaussian whose deviation is a fiftieth of the side.
  case blurred
  /// A quarter as wide and as high.
  case shrunk
  /// JPEG of quality 10.
  case jpeg

  /// The words in tables.
  package var words: String {
    switch self {
    case .grey: "grey"
    case .gif: "GIF, 256 colours"
    case .blurred: "blurred"
    case .shrunk: "a quarter as large"
    case .jpeg: "JPEG of quality 10"
    }
  }

  /// The crop after it.
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
