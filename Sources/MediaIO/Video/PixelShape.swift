import CFFmpeg

/// The shape of stored pixels, which not all videos have square: 4:3 and 16:9 television are stored
/// in the same number of pixels, and half of the columns are enough for some cameras.
struct PixelShape: Sendable, Equatable {
  /// A pixel's width and height, in relation to each other.
  let width, height: Int

  static let square = PixelShape(AVRational(num: 1, den: 1))

  /// The most that one side of a pixel is of the other; real ones are at most 4:1, and what is
  /// beyond this is a mistake in the file.
  static let limit = 10

  /// Square where the ratio says nothing.
  init(_ ratio: AVRational) {
    let isKnown = ratio.num > 0 && ratio.den > 0
    width = isKnown ? Int(ratio.num) : 1
    height = isKnown ? Int(ratio.den) : 1
  }

  /// The pixels across and down by which a frame of `storedWidth` x `storedHeight` of these pixels
  /// is shown: the short side of a pixel is stretched, so that none is lost. nil where the shape is
  /// beyond `limit`, or the shown frame would be larger than those that are decoded.
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
