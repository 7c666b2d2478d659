import DeepfakeCore

/// The brightness of a frame at a grid of places: enough to see that another scene has begun.
struct FrameSketch: Sendable {
  private static let (columns, rows) = (32, 18)
  /// The mean change of brightness, in levels, from which two frames are of two scenes.
  private static let cut = 32

  private let luma: [UInt8]

  init(_ frame: Image) {
    // Green is most of the brightness, and cheap.
    luma = frame.pixels.withUnsafeBufferPointer { pixels in
      (0..<Self.rows * Self.columns).map { place in
        let x = (2 * (place % Self.columns) + 1) * frame.width / (2 * Self.columns)
        let y = (2 * (place / Self.columns) + 1) * frame.height / (2 * Self.rows)
        return pixels[(y * frame.width + x) * 3 + 1]
      }
    }
  }

  /// Whether a cut lies between the two.
  func isOtherScene(than other: FrameSketch) -> Bool {
    let difference = zip(luma, other.luma).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
    return difference > Self.cut * luma.count
  }
}
