/// The sizes to which a frame is scaled for P-Net. A face of any size is about 12 pixels large in
/// one of them.
///
/// The sizes are computed in double precision, as in facenet-pytorch.
package struct ImagePyramid: Sendable, Equatable {
  /// One size of the frame.
  package struct Level: Sendable, Equatable {
    /// The level's size relative to the frame.
    package var scale: Double
    package var width: Int
    package var height: Int
  }

  /// The side of P-Net's window in pixels.
  private static let cell = 12.0

  /// The levels, largest first; empty if the frame is smaller than `minimumFaceSize`.
  package var levels: [Level] = []

  /// Creates the levels for faces of at least `minimumFaceSize` pixels. Each level is `factor`
  /// times the previous one.
  package init(width: Int, height: Int, minimumFaceSize: Double, factor: Double) {
    var scale = Self.cell / minimumFaceSize
    var side = Double(min(width, height)) * scale
    while side >= Self.cell {
      levels.append(
        Level(
          scale: scale, width: Int(Double(width) * scale + 1),
          height: Int(Double(height) * scale + 1)))
      scale *= factor
      side *= factor
    }
  }
}
