import DeepfakeCore
import Foundation
import MediaIO
import TestSupport
import Testing
import Training

/// What `Tests/Fixtures/make_augmentation.py` writes of torchvision's and OpenCV's results.
private struct Golden: Decodable {
  struct Case: Decodable {
    var kind: String
    var values: [Float]
    var expected: Data
  }

  var width, height: Int
  var image: Data
  var cases: [Case]
}

@Suite struct GoldenAugmentationTests {
  /// A picture changed in the manner and by the numbers of a case, and the tolerance in levels of
  /// 255.
  private func changed(
    _ image: Image, _ kind: String, _ values: [Float]
  ) throws -> (image: Image, tolerance: Int) {
    var generator = SeededGenerator(seed: 1)
    var face = AugmentedFace(image)
    switch kind {
    // torchvision rounds down after each of its steps, and its mean with it.
    case "brightness": return (image.withBrightness(values[0], contrast: 1), 1)
    case "contrast": return (image.withBrightness(1, contrast: values[0]), 2)
    case "gamma": return (image.withGamma(values[0]), 0)
    case "hsv":
      return (image.shifted(hue: values[0], saturation: values[1], value: values[2]), 1)
    case "grey": return (image.grey(), 1)
    // Rounded after the rows and again after the columns.
    case "blur": return (image.blurred(sigma: values[0]), 1)
    case "rotation":
      Rotation(degrees: values[0]...values[0]).apply(to: &face, using: &generator)
      return (face.image, 1)
    case "flip":
      HorizontalFlip().apply(to: &face, using: &generator)
      return (face.image, 0)
    case "jpeg":
      return (try ImageFile.recompressed(image, quality: Int(values[0])), 1)
    default:
      Issue.record("unknown kind \(kind)")
      return (image, 0)
    }
  }

  @Test func equalsTorchvisionsAndOpenCVs() throws {
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: Paths.fixture("augmentation.json")))
    let image = Image(width: golden.width, height: golden.height, pixels: Array(golden.image))
    #expect(golden.cases.count == 23)
    for item in golden.cases {
      let (found, tolerance) = try changed(image, item.kind, item.values)
      let differences = zip(found.pixels, item.expected).map { abs(Int($0) - Int($1)) }
      let worst = try #require(differences.max())
      #expect(
        worst <= tolerance, "\(item.kind) \(item.values): \(worst) levels of 255 apart")
      #expect(item.expected.count == found.pixels.count)
      #expect(item.kind == "hsv" || item.values == [0] || found != image)
    }
  }
}
