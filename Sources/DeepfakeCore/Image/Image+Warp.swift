import CDFKernels

extension Image {
  /// Input pixels from one sample to the next, at most: bilinear samples this near leave none out.
  private static let sampleSpacing = 1.5

  /// The image moved by `map`, as a picture of `width` x `height` pixels; `edges` says what is seen
  /// outside.
  ///
  /// `map` takes places of this image to places of the new one; in both, whole numbers are the
  /// centres of pixels. Pixels are sampled bilinearly, as OpenCV's `warpAffine` does, so long as
  /// the map shrinks by 1.5 at most. Where it shrinks more, each new pixel is the mean of a grid of
  /// such samples spread over it, at most 1.5 pixels apart, so that nothing aliases; `largestGrid`
  /// samples along an axis at most (32: down to 1/48 of the size). Returns nil where `map` has no
  /// inverse.
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
