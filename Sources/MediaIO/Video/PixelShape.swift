import CFFmpeg

/// The pixel aspect ratio of stored frames. Not all videos have square pixels: television in 4:3
/// and in 16:9 is stored with the same number of pixels, and some cameras store only half of the
/// columns.
struct PixelAspectRatio: Sendable, Equatable {
  /// The width and height of a pixel relative to each other.
  let width, height: Int

  static let square = PixelAspectRatio(AVRational(num: 1, den: 1))

  /// The maximum ratio between the sides of a pixel. Real ratios are at most 4:1; a ratio above
  /// this limit is an error in the file.
  static let limit = 10

  /// Creates a shape; square if the ratio is unknown.
  init(_ ratio: AVRational) {
    let isKnown = ratio.num > 0 && ratio.den > 0
    width = isKnown ? Int(ratio.num) : 1
    height = isKnown ? Int(ratio.den) : 1
  }

  /// The size in pixels at which to show a frame of `storedWidth` x `storedHeight` of these pixels.
  /// The short side of a pixel is stretched, so that no pixel is lost. Nil if the shape exceeds
  /// `limit`, or if the shown frame would exceed the decoder's limits.
  func shown(_ storedWidth: Int, _ storedHeight: Int) -> (width: Int, height: Int)? {
    guard width <= Self.limit * height, height <= Self.limit * width else { return nil }
    let isWide = width >= height
    let shownWidth = isWide ? stretched(storedWidth, width, height) : storedWidth
    let shownHeight = isWide ? storedHeight : stretched(storedHeight, height, width)
    guard shownWidth <= Decoder.sideLimit, shownHeight <= Decoder.sideLimit,
      shownWidth * shownHeight <= Decoder.pixelLimit
    else { return nil }
    return (shownWidth, shownHeight)
  }

  private func stretched(_ extent: Int, _ longer: Int, _ shorter: Int) -> Int {
    (extent * longer + shorter / 2) / shorter
  }
}
