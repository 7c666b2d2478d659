import CDFKernels

extension Image {
  /// The largest distance between neighbouring samples, in input pixels. At this distance bilinear
  /// sampling skips no pixel.
  private static let sampleSpacing = 1.5

  /// The image transformed by `map`, as an image of `width` x `height` pixels.
  ///
  /// Pixels are sampled bilinearly, as in OpenCV's `warpAffine`, if the map shrinks by a factor of
  /// at most 1.5. If it shrinks more, each new pixel is the mean of a grid of such samples over its
  /// area, at most 1.5 input pixels apart, which avoids aliasing.
  ///
  /// - Parameters:
  ///   - map: It maps positions in this image to positions in the new one. In both, whole numbers
  ///     are the centres of pixels.
  ///   - edges: The fill of the parts outside this image.
  ///   - largestGrid: The most samples of a new pixel along each axis. 32 is enough for maps that
  ///     shrink to 1/48 of the size.
  /// - Returns: The new image, or nil if `map` has no inverse.
  package func warped(
    by map: AffineMap, width: Int, height: Int, edges: EdgeFill = .black, largestGrid: Int = 32
  ) -> Image? {
    precondition(width > 0 && height > 0, "warped: \(width)x\(height) is empty")
    precondition(largestGrid > 0, "warped: a grid of \(largestGrid) samples is empty")
    guard let back = map.inverse else { return nil }
    let wanted = (back.largestStretch / Self.sampleSpacing).rounded(.up)
    let grid = Int(min(max(wanted, 1), Double(largestGrid)))
    return Image(width: width, height: height) { target in
      pixels.withUnsafeBufferPointer { source in
        df_u8_warp(
          self.height, self.width, source.baseAddress, self.width * 3,
          [back.a, back.b, back.c, back.d, back.e, back.f], grid, edges == .replicate, height,
          width, target.baseAddress)
      }
    }
  }
}
