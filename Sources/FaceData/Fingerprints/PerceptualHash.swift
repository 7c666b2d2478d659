import CDFKernels
import Foundation

/// A 64-bit perceptual hash of a picture's lowest frequencies: pHash as Python's `imagehash.phash`
/// computes it, bit for bit.
///
/// The grey picture is scaled to 32x32 pixels with the Lanczos filter. The 8x8 lowest frequencies
/// of its cosine transform are used: a bit is 1 if its frequency exceeds their median. The first
/// frequency is the highest bit. For pictures much taller than wide, a bit may differ, since Pillow
/// 13 scales these in the other order.
package struct PerceptualHash: Sendable {
  /// The hash of the picture as it is.
  package var upright: UInt64
  /// The hash of the picture's mirror image. It needs no second transform: the frequencies that are
  /// odd across change their sign.
  package var mirrored: UInt64

  package static let side = 32

  /// The hash of a grey picture of 32x32 pixels.
  package init(_ grey: [UInt8]) {
    precondition(grey.count == Self.side * Self.side, "PerceptualHash: \(grey.count) pixels")
    let frequencies = Self.lowest(grey)
    upright = Self.bits(frequencies)
    mirrored = Self.bits(
      frequencies.enumerated().map { $0.offset % 2 == 0 ? $0.element : -$0.element })
  }

  private static func bits(_ frequencies: [Double]) -> UInt64 {
    let sorted = frequencies.sorted()
    let median = (sorted[31] + sorted[32]) / 2
    return frequencies.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) }
  }

  /// cos(pi * k * (2 i + 1) / 64) for k of 0..<8.
  private static let cosines: [[Double]] = (0..<8).map { k in
    (0..<side).map { i in cos(.pi * Double(k * (2 * i + 1)) / Double(2 * side)) }
  }

  /// The 8x8 lowest frequencies, row by row.
  private static func lowest(_ grey: [UInt8]) -> [Double] {
    // Columns first, which gives 8 rows of 32.
    var rows = [Double](repeating: 0, count: 8 * side)
    for k in 0..<8 {
      for j in 0..<side {
        let weight = cosines[k][j]
        for i in 0..<side { rows[k * side + i] += weight * Double(grey[j * side + i]) }
      }
    }
    return (0..<64).map { place in
      let (row, k) = (place / 8, place % 8)
      return (0..<side).reduce(0) { $0 + cosines[k][$1] * rows[row * side + $1] }
    }
  }
}
