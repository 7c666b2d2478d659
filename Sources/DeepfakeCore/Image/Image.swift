/// An image in memory: 8-bit RGB, rows from the top, without padding.
///
/// ```swift
/// var image = Image(width: 64, height: 48) { $0.update(repeating: 200) }
/// image.fillRectangle(x: 0, y: 0, width: 32, height: 48, color: .red)
/// let small = image.resized(width: 2, height: 1, method: .area)
/// print(small[0, 0].red, small[1, 0].red)  // 230 200
/// ```
public struct Image: Sendable, Equatable {
  /// The number of pixels in a row.
  public let width: Int
  /// The number of rows.
  public let height: Int
  /// width * height * 3 bytes: red, green, blue.
  public private(set) var pixels: [UInt8]

  /// Creates an image from `pixels`, width * height * 3 bytes. Width and height must be above zero.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == width * height * 3,
      "Image: \(pixels.count) bytes do not fill \(width)x\(height) RGB")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Creates an image whose pixels `body` writes; it must write every byte.
  public init(
    width: Int, height: Int,
    initializingWith body: (UnsafeMutableBufferPointer<UInt8>) throws -> Void
  ) rethrows {
    try self.init(width: width, height: height, room: 0, initializingWith: body)
  }

  /// Creates an image whose pixels `body` writes. `body` may also write to `room` bytes after the
  /// last pixel, which do not belong to the image.
  package init(
    width: Int, height: Int, room: Int,
    initializingWith body: (UnsafeMutableBufferPointer<UInt8>) throws -> Void
  ) rethrows {
    precondition(width > 0 && height > 0, "Image: \(width)x\(height) is empty")
    self.width = width
    self.height = height
    let count = width * height * 3
    pixels = try [UInt8](unsafeUninitializedCapacity: count + room) { buffer, initialized in
      try body(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }

  /// Red, green and blue of the pixel in column `x` and row `y`, which must be inside the image.
  public subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    get {
      let i = offset(x, y)
      return (pixels[i], pixels[i + 1], pixels[i + 2])
    }
    set {
      let i = offset(x, y)
      pixels[i] = newValue.red
      pixels[i + 1] = newValue.green
      pixels[i + 2] = newValue.blue
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height, "Image: (\(x), \(y)) is outside")
    return (y * width + x) * 3
  }
}
