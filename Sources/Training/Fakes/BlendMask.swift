import CDFKernels
import DeepfakeCore
import FaceDetect
import Foundation

/// The share of the blended picture in each pixel, 0 to 1: a part of a face with a soft edge.
package struct BlendMask: Sendable {
  /// Width in pixels.
  let width: Int
  /// Height in pixels.
  let height: Int
  /// Values of shape [height][width].
  package let values: [Float]

  /// Masks of larger pictures are computed at this size and enlarged, since their edges are soft.
  private static let largestSide = 128

  /// Makes the mask of an outline in a picture.
  ///
  /// - Parameters:
  ///   - outline: The outline, in pixels of the picture.
  ///   - lattice: A displacement that bends the outline.
  ///   - rounding: Standard deviation of a first blur, in pixels. The blurred mask is thresholded
  ///     at `level`, which rounds the corners.
  ///   - level: The threshold after the first blur; above 0.5 it makes the mask smaller.
  ///   - softness: Standard deviation of a second blur, in pixels, which makes the edge soft.
  package init(
    _ outline: FaceOutline, bentBy lattice: ElasticLattice, rounding: Float, level: Float,
    softness: Float, width: Int, height: Int
  ) {
    let bent = outline.subdivided(96).map {
      $0 - lattice.displacement(at: $0, width: width, height: height)
    }
    let scale = min(1, Float(Self.largestSide) / Float(max(width, height)))
    let small = (
      width: max(1, Int((Float(width) * scale).rounded())),
      height: max(1, Int((Float(height) * scale).rounded()))
    )
    let factor = SIMD2(
      Double(small.width) / Double(width), Double(small.height) / Double(height))
    let corners = bent.flatMap { point -> [Float] in
      let place = (point + 0.5) * factor - 0.5
      return [Float(place.x), Float(place.y)]
    }
    var mask = FloatMap(width: small.width, height: small.height, filling: corners)
    mask.blur(sigma: rounding * scale)
    mask.ramp(from: level - 0.04, to: level + 0.04)
    mask.blur(sigma: softness * scale)
    self.width = width
    self.height = height
    values = mask.resized(width: width, height: height)
  }

  /// The mask as a grey picture.
  var image: Image {
    Image(width: width, height: height) { pixels in
      for (index, value) in values.enumerated() {
        let byte = UInt8(min(max(value * 255, 0), 255).rounded())
        for channel in 0..<3 { pixels[index * 3 + channel] = byte }
      }
    }
  }
}

/// A two-dimensional map of floats, from which masks are made.
package struct FloatMap: Sendable {
  /// Number of columns.
  package let width: Int
  /// Number of rows.
  package let height: Int
  /// Values of shape [height][width].
  package private(set) var values: [Float]

  package init(width: Int, height: Int, values: [Float]) {
    precondition(
      values.count == width * height, "FloatMap: \(values.count) values of \(width)x\(height)")
    (self.width, self.height, self.values) = (width, height, values)
  }

  /// The fraction of each pixel that a polygon covers. `corners` are x, y, x, y, ...
  package init(width: Int, height: Int, filling corners: [Float]) {
    self.width = width
    self.height = height
    values = [Float](unsafeUninitializedCapacity: width * height) { buffer, count in
      df_f32_fill_polygon(height, width, corners.count / 2, corners, buffer.baseAddress)
      count = width * height
    }
  }

  /// Blurs by a Gaussian of `sigma` elements, cut off at three sigma. Edges are mirrored.
  package mutating func blur(sigma: Float) {
    let radius = Int((3 * sigma).rounded(.up))
    guard sigma > 0, radius > 0 else { return }
    let weights = (0...radius).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
    let total = weights[0] + 2 * weights.dropFirst().reduce(0, +)
    let normal = weights.map { $0 / total }
    values.withUnsafeMutableBufferPointer {
      let done = df_f32_blur(height, width, $0.baseAddress, radius, normal, $0.baseAddress)
      precondition(done, "FloatMap: out of memory")
    }
  }

  /// Maps values below `low` to 0, values above `high` to 1, and those between linearly.
  mutating func ramp(from low: Float, to high: Float) {
    values.withUnsafeMutableBufferPointer {
      df_f32_ramp($0.count, $0.baseAddress, low, high, $0.baseAddress)
    }
  }

  /// The values scaled bilinearly to another size.
  func resized(width: Int, height: Int) -> [Float] {
    if width == self.width && height == self.height { return values }
    return [Float](unsafeUninitializedCapacity: width * height) { buffer, count in
      let done = df_f32_resize(
        self.height, self.width, 1, values, self.width, height, width, buffer.baseAddress,
        DF_BILINEAR)
      precondition(done, "FloatMap: out of memory")
      count = width * height
    }
  }
}
