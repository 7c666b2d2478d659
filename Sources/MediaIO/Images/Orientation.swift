import DeepfakeCore

/// The transformation from stored pixels to the picture to show; the raw values are EXIF's.
package enum Orientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored = 2
  case rotated180 = 3
  case flipped = 4
  case transposed = 5
  case rotated90 = 6
  case transversed = 7
  case rotated270 = 8

  /// Whether the transformation swaps width and height.
  package var swapsAxes: Bool { rawValue >= Orientation.transposed.rawValue }

  /// The clockwise rotation from the stored to the shown picture in degrees, without the mirroring.
  package var degrees: Int {
    switch self {
    case .upright, .mirrored: 0
    case .rotated90, .transversed: 90
    case .rotated180, .flipped: 180
    case .rotated270, .transposed: 270
    }
  }

  /// The orientation nearest to a container's display matrix. The matrix shows stored (x, y) at (a
  /// x + c y, b x + d y), where a, b, c, d are its elements 0, 1, 3 and 4.
  package init(displayMatrix m: [Int32]) {
    precondition(m.count == 9, "Orientation: a display matrix has 9 elements, not \(m.count)")
    let (a, b, c, d) = (Double(m[0]), Double(m[1]), Double(m[3]), Double(m[4]))
    if abs(a) + abs(d) >= abs(b) + abs(c) {
      self = a < 0 ? (d < 0 ? .rotated180 : .mirrored) : (d < 0 ? .flipped : .upright)
    } else {
      self = b < 0 ? (c < 0 ? .transversed : .rotated270) : (c < 0 ? .rotated90 : .transposed)
    }
  }

  /// The picture to show, from `width` x `height` stored RGB pixels whose rows are `stride` bytes
  /// apart.
  func image(of source: UnsafePointer<UInt8>, width: Int, height: Int, stride: Int) -> Image {
    let shownWidth = swapsAxes ? height : width
    let shownHeight = swapsAxes ? width : height
    // The offset of the shown picture's first pixel, and the steps to its right and lower
    // neighbours.
    let lastX = 3 * (width - 1)
    let lastY = stride * (height - 1)
    let (start, right, down) =
      switch self {
      case .upright: (0, 3, stride)
      case .mirrored: (lastX, -3, stride)
      case .rotated180: (lastX + lastY, -3, -stride)
      case .flipped: (lastY, 3, -stride)
      case .transposed: (0, stride, 3)
      case .rotated90: (lastY, -stride, 3)
      case .transversed: (lastX + lastY, -stride, -3)
      case .rotated270: (lastX, stride, -3)
      }
    return Image(width: shownWidth, height: shownHeight) { target in
      guard let base = target.baseAddress else { return }
      for y in 0..<shownHeight {
        var from = source + start + y * down
        var to = base + y * shownWidth * 3
        if right == 3 {
          to.update(from: from, count: shownWidth * 3)
          continue
        }
        for _ in 0..<shownWidth {
          to[0] = from[0]
          to[1] = from[1]
          to[2] = from[2]
          to += 3
          from += right
        }
      }
    }
  }

  /// The picture to show for a stored picture.
  package func applied(to image: Image) -> Image {
    if self == .upright { return image }
    return image.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return image }
      return self.image(
        of: base, width: image.width, height: image.height, stride: image.width * 3)
    }
  }
}
