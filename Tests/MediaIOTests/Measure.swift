import DeepfakeCore
import TestSupport
import Testing

extension Image {
  /// Means of red, green and blue over a part.
  func meanColour(x columns: Range<Int>, y rows: Range<Int>) -> [Float] {
    var sums = [0, 0, 0]
    for y in rows {
      for x in columns {
        let (red, green, blue) = self[x, y]
        sums[0] += Int(red)
        sums[1] += Int(green)
        sums[2] += Int(blue)
      }
    }
    return sums.map { Float($0) / Float(columns.count * rows.count) }
  }

  /// Means of red, green and blue.
  var meanColour: [Float] { meanColour(x: 0..<width, y: 0..<height) }
}

/// Expects every channel of every colour to be within `levels` of 255, absolute.
func expectColours(
  _ found: [[Float]], _ expected: [[Float]], levels: Float, _ label: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  // In units of 255 all values are below 1, where `expectClose` compares absolutely.
  expectClose(
    found.flatMap { $0 }.map { $0 / 255 }, expected.flatMap { $0 }.map { $0 / 255 },
    tolerance: levels / 255, label, sourceLocation: sourceLocation)
}
