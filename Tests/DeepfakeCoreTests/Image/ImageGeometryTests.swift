import DeepfakeCore
import TestSupport
import Testing

@Suite struct ImageGeometryTests {
  /// Red is the column, green the row, blue 7.
  private func ramp(_ width: Int, _ height: Int) -> Image {
    Image(width: width, height: height) { pixels in
      for i in 0..<width * height {
        pixels[3 * i] = UInt8(i % width)
        pixels[3 * i + 1] = UInt8(i / width)
        pixels[3 * i + 2] = 7
      }
    }
  }

  @Test(arguments: [
    (0, 0, 6, 5), (1, 2, 3, 2), (-2, -3, 4, 5), (4, 3, 9, 9), (-5, -5, 20, 20), (6, 0, 3, 3),
    (0, 5, 3, 3), (-9, 1, 4, 2), (2, -8, 2, 3), (-4, 2, 4, 1), (100, 100, 2, 2), (5, 4, 1, 1),
    (Int.max - 1, 0, 4, 2), (Int.min, Int.min, 3, 3), (0, Int.max, 2, 2),
  ])
  func crops(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
    let image = ramp(6, 5)
    let black = image.cropped(x: x, y: y, width: width, height: height)
    let replicated = image.cropped(x: x, y: y, width: width, height: height, edges: .replicate)
    #expect(black.width == width && black.height == height)
    #expect(replicated.width == width && replicated.height == height)
    for row in 0..<height {
      for column in 0..<width {
        // In Double, so that corners at the ends of Int do not overflow here.
        let (sourceX, sourceY) = (Double(x) + Double(column), Double(y) + Double(row))
        let inside = sourceX >= 0 && sourceX < 6 && sourceY >= 0 && sourceY < 5
        let nearest = image[Int(min(max(sourceX, 0), 5)), Int(min(max(sourceY, 0), 4))]
        #expect(black[column, row] == (inside ? nearest : (0, 0, 0)))
        #expect(replicated[column, row] == nearest)
      }
    }
  }

  @Test func flips() {
    let image = ramp(5, 3)
    let flipped = image.flippedHorizontally()
    #expect(flipped[0, 1] == (4, 1, 7))
    #expect(flipped[4, 2] == (0, 2, 7))
    #expect(flipped.flippedHorizontally() == image)
  }

  @Test func rotates() {
    let image = ramp(5, 3)
    let clockwise = image.rotated(quarterTurns: 1)
    #expect(clockwise.width == 3 && clockwise.height == 5)
    // The top left corner goes to the top right, the bottom left to the top left.
    #expect(clockwise[2, 0] == (0, 0, 7))
    #expect(clockwise[0, 0] == (0, 2, 7))
    #expect(clockwise[2, 4] == (4, 0, 7))
    let half = image.rotated(quarterTurns: 2)
    #expect(half[0, 0] == (4, 2, 7))
    #expect(half == clockwise.rotated(quarterTurns: 1))
    #expect(image.rotated(quarterTurns: 3) == image.rotated(quarterTurns: -1))
    #expect(image.rotated(quarterTurns: 3).rotated(quarterTurns: 1) == image)
    #expect(image.rotated(quarterTurns: 4) == image)
  }

  @Test func resizesToItself() {
    let image = ramp(6, 5)
    for method in Resampling.allCases {
      #expect(image.resized(width: 6, height: 5, method: method) == image)
    }
  }

  @Test func nearestTakesPixels() {
    let resized = ramp(6, 4).resized(width: 3, height: 8, method: .nearest)
    #expect(resized[1, 3] == (2, 1, 7))
    #expect(resized[2, 7] == (4, 3, 7))
  }

  @Test func becomesANormalisedTensor() {
    let image = Image(width: 2, height: 1, pixels: [0, 51, 255, 102, 153, 204])
    let plain = image.tensor(PixelNormalization())
    #expect(plain.shape == [1, 1, 2, 3])
    expectClose(plain.scalars, [0, 0.2, 1, 0.4, 0.6, 0.8], tolerance: 1e-6)
    let normalized = image.tensor(
      PixelNormalization(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2]))
    expectClose(normalized.scalars, [-0.2, 0, 0.35, 0.6, 1.6, 0.25], tolerance: 1e-6)
    // Mean and deviation are red, green, blue whatever the order of the output.
    let reversed = image.tensor(
      PixelNormalization(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2], channelOrder: .bgr))
    expectClose(reversed.scalars, [0.35, 0, -0.2, 0.25, 1.6, 0.6], tolerance: 1e-6)
  }

  @Test func batchesKeepTheirOrder() {
    // More pixels than one block of the pool.
    let images = (0..<3).map { (index: Int) -> Image in
      let bytes = (0..<225_000).map { byte in UInt8((byte * 7 + index * 31) % 256) }
      return Image(width: 300, height: 250, pixels: bytes)
    }
    let batch = Tensor(images: images, normalization: PixelNormalization())
    #expect(batch.shape == [3, 250, 300, 3])
    expectClose(
      batch.scalars, images.flatMap { $0.pixels.map { Float($0) / 255 } }, tolerance: 1e-6)
  }

  @Test func misuseStops() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor(
        images: [
          Image(width: 1, height: 1, pixels: [0, 0, 0]),
          Image(width: 1, height: 2, pixels: [0, 0, 0, 0, 0, 0]),
        ], normalization: PixelNormalization())
    }
  }
}
