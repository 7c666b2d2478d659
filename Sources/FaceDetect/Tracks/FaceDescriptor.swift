import DeepfakeCore

/// The appearance of a person in one sighting, for comparison: the face's pattern of light and
/// dark, and the colours of skin, hair and clothing.
///
/// It distinguishes the people of one video, whose clothes and light hardly change. It does not
/// recognise people in other videos. `Docs/Tracks.md` has the measurements.
package struct FaceDescriptor: Sendable {
  /// The similarity of two descriptors, part by part: from 0 (for the pattern, from -1) to 1.
  package struct Affinities: Sendable {
    package var pattern, skin: Float
    /// nil if hair, or clothing, is outside of the frame in one of the two.
    package var hair, clothing: Float?
  }

  /// The face at 16x16 pixels with local brightness and contrast removed, of mean 0 and length 1.
  private let pattern: [Float]
  /// Square roots of the histograms' fractions, so that the dot product of two is their
  /// Bhattacharyya coefficient.
  private let skin, hair, clothing: [Float]

  /// Creates the descriptor of a face in its frame; nil if neither landmarks nor box give a valid
  /// position.
  package init?(of face: Face, in frame: Image) {
    guard let view = FaceView(of: face, in: frame) else { return nil }
    pattern = Self.pattern(view)
    skin = ColorHistogram.of(Self.skinPlaces, in: view) ?? []
    hair = ColorHistogram.of(Self.hairPlaces, in: view) ?? []
    clothing = ColorHistogram.of(Self.clothingPlaces, in: view) ?? []
  }

  private static let skinPlaces = FaceView.pixels(x: 25...87, y: 40...105)
  private static let hairPlaces = FaceView.pixels(x: 15...97, y: -25...22)
  private static let clothingPlaces = FaceView.pixels(x: -40...152, y: 145...222)

  /// The similarity of the two, part by part.
  package func affinities(with other: FaceDescriptor) -> Affinities {
    Affinities(
      pattern: dot(pattern, other.pattern), skin: dot(skin, other.skin),
      hair: hair.isEmpty || other.hair.isEmpty ? nil : dot(hair, other.hair),
      clothing: clothing.isEmpty || other.clothing.isEmpty
        ? nil : dot(clothing, other.clothing))
  }

  /// The mean similarity of the parts that both have: from about 0 to 1, which means the same
  /// picture.
  package func similarity(to other: FaceDescriptor) -> Float {
    let parts = affinities(with: other)
    let seen = [parts.pattern, parts.skin, parts.hair, parts.clothing].compactMap { $0 }
    return seen.reduce(0, +) / Float(seen.count)
  }

  /// Removes the lighting of the face: subtracts the mean of each pixel's surroundings and divides
  /// by their standard deviation.
  private static func pattern(_ view: FaceView) -> [Float] {
    let luma = view.image.luma
    let sums = WindowSums(luma)
    var values: [Float] = []
    values.reserveCapacity(FaceView.templateRows.count * FaceView.templateColumns.count / 4)
    for row in stride(
      from: FaceView.templateRows.lowerBound, to: FaceView.templateRows.upperBound, by: 2)
    {
      for column in stride(
        from: FaceView.templateColumns.lowerBound, to: FaceView.templateColumns.upperBound, by: 2)
      {
        var sum: Float = 0
        for (x, y) in [(column, row), (column + 1, row), (column, row + 1), (column + 1, row + 1)] {
          let (mean, deviation) = sums.moments(x: x, y: y, radius: 5)
          // The constant keeps the noise of even surfaces small.
          let value = (luma[y * FaceView.width + x] - mean) / (deviation + 4)
          sum += min(max(value, -2), 2)
        }
        values.append(sum / 4)
      }
    }
    let mean = values.reduce(0, +) / Float(values.count)
    for i in values.indices { values[i] -= mean }
    let length = dot(values, values).squareRoot()
    return length > 0 ? values.map { $0 / length } : values
  }
}

/// The dot product of two lists; 0 if their lengths differ or they are empty.
private func dot(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return 0 }
  return a.withUnsafeBytes { a in
    b.withUnsafeBytes { b in
      var sum = SIMD16<Float>(repeating: 0)
      let whole = a.count / 64 * 64
      for offset in stride(from: 0, to: whole, by: 64) {
        let x = a.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
        let y = b.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
        sum += x * y
      }
      var rest: Float = 0
      for offset in stride(from: whole, to: a.count, by: 4) {
        rest +=
          a.loadUnaligned(fromByteOffset: offset, as: Float.self)
          * b.loadUnaligned(fromByteOffset: offset, as: Float.self)
      }
      return sum.sum() + rest
    }
  }
}

/// Sums over upright windows of a view, computed from integral images.
private struct WindowSums {
  private static let stride = FaceView.width + 1
  private var sums: [Double]
  private var squares: [Double]

  init(_ values: [Float]) {
    let count = Self.stride * (FaceView.height + 1)
    sums = [Double](repeating: 0, count: count)
    squares = sums
    for row in 0..<FaceView.height {
      var (sum, square) = (0.0, 0.0)
      for column in 0..<FaceView.width {
        let value = Double(values[row * FaceView.width + column])
        sum += value
        square += value * value
        let at = (row + 1) * Self.stride + column + 1
        sums[at] = sums[at - Self.stride] + sum
        squares[at] = squares[at - Self.stride] + square
      }
    }
  }

  /// The mean and standard deviation of the part of a window around the pixel that lies in the
  /// view.
  func moments(x: Int, y: Int, radius: Int) -> (mean: Float, deviation: Float) {
    let (left, right) = (max(x - radius, 0), min(x + radius + 1, FaceView.width))
    let (top, bottom) = (max(y - radius, 0), min(y + radius + 1, FaceView.height))
    let count = Double((right - left) * (bottom - top))
    func window(_ table: [Double]) -> Double {
      table[bottom * Self.stride + right] - table[bottom * Self.stride + left]
        - table[top * Self.stride + right] + table[top * Self.stride + left]
    }
    let mean = window(sums) / count
    let variance = max(0, window(squares) / count - mean * mean)
    return (Float(mean), Float(variance.squareRoot()))
  }
}
