import Classifiers
import DeepfakeCore
import TestSupport
import Testing

@Suite struct InputSpecTests {
  /// An image whose pixels tell where they are.
  func gradient(_ width: Int, _ height: Int) -> Image {
    Image(
      width: width, height: height,
      pixels: (0..<width * height).flatMap { i in
        [UInt8(i % width), UInt8(i / width), 200]
      })
  }

  @Test func aCropOfTheSizeIsOnlyNormalised() {
    let input = InputSpec(size: 32).prepare([gradient(32, 32)])
    #expect(input.shape == [1, 32, 32, 3])
    let expected: [Float] = [
      (5 / 255 - 0.485) / 0.229, (7 / 255 - 0.456) / 0.224, (200 / 255 - 0.406) / 0.225,
    ]
    expectClose(
      [input[0, 7, 5, 0], input[0, 7, 5, 1], input[0, 7, 5, 2]], expected, tolerance: 1e-5)
  }

  @Test func stretchingHalvesByAveragingAndFillsTheSquare() {
    let spec = InputSpec(size: 32, mean: [0, 0, 0], std: [1, 1, 1])
    let input = spec.prepare([gradient(64, 128), gradient(32, 32)])
    #expect(input.shape == [2, 32, 32, 3])
    // The mean of columns 10 and 11 is 10.5, that of rows 12 to 15 is 13.5: both round to even.
    expectClose(
      [input[0, 3, 5, 0] * 255, input[0, 3, 5, 1] * 255], [10, 14], tolerance: 1e-3)
  }

  @Test func channelsCanBeSwapped() {
    let spec = InputSpec(size: 32, mean: [0, 0, 0], std: [1, 1, 1], channelOrder: .bgr)
    let input = spec.prepare([gradient(32, 32)])
    expectClose(
      [input[0, 7, 5, 0] * 255, input[0, 7, 5, 1] * 255, input[0, 7, 5, 2] * 255], [200, 7, 5],
      tolerance: 1e-3)
  }

  @Test func letterboxKeepsTheAspectAndCentres() {
    let spec = InputSpec(size: 32, mean: [0, 0, 0], std: [1, 1, 1], fit: .letterbox)
    // 64x38 shrinks to 32x19; 13 rows of padding, 6 of them above.
    let input = spec.prepare([gradient(64, 38)])
    let rows = (0..<32).filter { input[0, $0, 31, 2] > 0 }
    #expect(rows == Array(6..<25))
    expectClose([input[0, 6, 31, 0] * 255, input[0, 6, 31, 1] * 255], [62, 0], tolerance: 1.01)
    // A tall crop is padded left and right.
    let tall = spec.prepare([gradient(10, 40)])
    let columns = (0..<32).filter { tall[0, 16, $0, 2] > 0 }
    #expect(columns == Array(12..<20))
    // Even a sliver keeps a pixel.
    let sliver = spec.prepare([gradient(1, 200)])
    #expect((0..<32).filter { sliver[0, 16, $0, 2] > 0 }.count == 1)
  }
}
