import CDFKernels
import Foundation

/// The 64 signs of a picture's lowest frequencies: pHash as Python's `imagehash.phash` computes it,
/// bit for bit.
///
/// The grey picture is scaled to 32x32 pixels by Lanczos' filter; of its cosine transform the 8x8
/// lowest frequencies count, and a bit is one where a frequency exceeds their median. The first bit
/// is the highest. Of pictures much taller than wide, which Pillow 13 scales in the other order, a
/// bit may differ.
package struct PerceptualHash: Sendable {
  /// The hash.
  package var upright: UInt64
  /// The hash of the picture's mirror image, from the same frequencies: those that are odd across
  /// change sign.
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
    // Down first: 8 rows of 32.
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
