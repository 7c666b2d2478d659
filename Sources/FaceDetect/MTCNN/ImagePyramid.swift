/// The sizes at which P-Net sees a frame, so that faces of every size become 12 pixels in one of
/// them.
///
/// Numbers as facenet-pytorch computes them, in double precision.
package struct ImagePyramid: Sendable, Equatable {
  /// One size.
  package struct Level: Sendable, Equatable {
    /// Pixels of the level for one of the frame.
    package var scale: Double
    package var width: Int
    package var height: Int
  }

  /// The side of P-Net's window.
  private static let cell = 12.0

  /// From the largest to the smallest; empty for a frame smaller than the smallest face.
  package var levels: [Level] = []

  /// The levels for faces of `minimumFaceSize` pixels and more, each `factor` times the one before.
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
