import Foundation

/// Estimates a JPEG's quality from its quantisation tables.
package enum JPEGQuality {
  /// The quality, 1 to 100, at which libjpeg's tables are nearest to the file's; nil if the file
  /// has no table.
  package static func estimate(_ file: Data) -> Int? {
    let tables = file.withUnsafeBytes { Self.tables($0) }
    guard !tables.isEmpty else { return nil }
    var best: (quality: Int, distance: Int)?
    for quality in 1...100 {
      var distance = 0
      for (number, table) in tables {
        let standard = standards[min(number, 1)]
        for place in 0..<64 {
          distance += abs(scaled(Int(standard[place]), quality) - Int(table[place]))
        }
      }
      if distance < best?.distance ?? .max { best = (quality, distance) }
    }
    return best?.quality
  }

  /// An entry of a standard table at a quality, as libjpeg's `jpeg_set_quality` computes it.
  private static func scaled(_ value: Int, _ quality: Int) -> Int {
    let percent = quality < 50 ? 5000 / quality : 200 - 2 * quality
    return min(max((value * percent + 50) / 100, 1), 255)
  }

  /// The first quantisation tables with the numbers 0 and 1, in the file's zigzag order.
  private static func tables(_ bytes: UnsafeRawBufferPointer) -> [(number: Int, table: [UInt16])] {
    var tables: [(number: Int, table: [UInt16])] = []
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xFF {
      let marker = bytes[place + 1]
      // Fill bytes, and markers without a length.
      if marker == 0xFF {
        place += 1
        continue
      }
      if marker == 0x01 || (0xD0...0xD7).contains(marker) {
        place += 2
        continue
      }
      // The compressed data follow the start of the scan; tables come before it.
      if marker == 0xDA || marker == 0xD9 { break }
      let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
      let end = place + 2 + length
      guard length >= 2, end <= bytes.count else { break }
      if marker == 0xDB { read(bytes, place + 4..<end, into: &tables) }
      place = end
    }
    return tables
  }

  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ segment: Range<Int>,
    into tables: inout [(number: Int, table: [UInt16])]
  ) {
    var place = segment.lowerBound
    while place < segment.upperBound {
      let (isWide, number) = (bytes[place] >> 4 != 0, Int(bytes[place] & 15))
      let width = isWide ? 2 : 1
      guard place + 1 + 64 * width <= segment.upperBound else { return }
      let start = place + 1
      let table = (0..<64).map { entry -> UInt16 in
        isWide
          ? UInt16(bytes[start + 2 * entry]) << 8 | UInt16(bytes[start + 2 * entry + 1])
          : UInt16(bytes[start + entry])
      }
      if number < 2, !tables.contains(where: { $0.number == number }) {
        tables.append((number, table))
      }
      place = start + 64 * width
    }
  }

  /// The tables of Annex K of the JPEG standard, luminance and chrominance, in zigzag order.
  private static let standards: [[UInt8]] = [
    [
      16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35,
      37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109,
      81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ],
    [
      17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99,
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
      99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ],
  ]
}
