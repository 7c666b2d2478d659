import DeepfakeCore

/// The brightness of a frame on a coarse grid, to detect cuts.
struct FrameSketch: Sendable {
  private static let (columns, rows) = (32, 18)
  /// A mean difference of brightness above this, in levels of 0 to 255, is a cut.
  private static let cut = 32

  private let luma: [UInt8]

  init(_ frame: Image) {
    // Green makes up most of the brightness and needs no computation.
    luma = frame.pixels.withUnsafeBufferPointer { pixels in
      (0..<Self.rows * Self.columns).map { place in
        let x = (2 * (place % Self.columns) + 1) * frame.width / (2 * Self.columns)
        let y = (2 * (place / Self.columns) + 1) * frame.height / (2 * Self.rows)
        return pixels[(y * frame.width + x) * 3 + 1]
      }
    }
  }

  /// Whether there is a cut between the two frames.
  func isOtherScene(than other: FrameSketch) -> Bool {
    let difference = zip(luma, other.luma).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return difference > Self.cut * luma.count
  }
}
