import DeepfakeCore
import FaceDetect
import TestSupport
import Testing

@Suite struct FrameScaleTests {
  @Test(
    arguments: [
      (1920, 1080, 0.5), (1080, 1920, 0.5), (3840, 2160, 0.25), (1280, 720, 0.5), (1600, 900, 0.5),
      (1024, 768, 0.625), (800, 600, 0.8), (640, 360, 1), (150, 100, 1), (0, 0, 1),
    ] as [(Int, Int, Float)])
  func autoHalvesButNotBelowNorAboveTheLimits(_ width: Int, _ height: Int, _ factor: Float) {
    #expect(FrameScale.auto.factor(width: width, height: height) == factor)
    #expect(FrameScale.factor(0.3).factor(width: width, height: height) == 0.3)
    let closer = FrameScale.closerFactor(width: width, height: height)
    #expect(closer >= factor && closer <= 1 && closer * Float(max(width, height)) <= 1920)
  }

  @Test func textIsANumberOrAuto() {
    #expect(FrameScale("auto") == .auto && FrameScale("0.5") == 0.5 && FrameScale("2") == 2)
    #expect(FrameScale("half") == nil && FrameScale("") == nil)
    #expect("\(FrameScale.auto)" == "auto" && "\(FrameScale.factor(0.5))" == "0.5")
    #expect(FrameScale.auto.isAllowed && FrameScale.factor(4).isAllowed)
    #expect(!FrameScale.factor(5).isAllowed && !FrameScale.factor(.nan).isAllowed)
  }

  @Test func autoIsTheSameAsTheFactorThatItComesTo() throws {
    let golden = try DetectorGolden.network(.mobileNet)
    let image = golden.images[0].resized(width: 1200, height: 200, method: .area)
    var options = RetinaFace.Options()
    options.threshold = golden.threshold
    options.frameScale = .factor(8.0 / 15)
    let detector = try RetinaFace(weights: golden.weights, options: options)
    #expect(detector.frameScale == .factor(8.0 / 15))
    let found = try detector.detect([image], scale: .auto)
    #expect(found == (try detector.detect([image])) && !found[0].isEmpty)
  }
}
