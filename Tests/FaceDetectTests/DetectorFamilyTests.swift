import DeepfakeCore
import FaceDetect
import Testing

/// A detector of a test's own: it finds one face in the middle of every frame.
private struct MiddleDetector: FaceDetector {
  let side: Float

  func detect(_ frames: [Image]) -> [[Face]] {
    frames.map { frame in
      let (x, y) = (Float(frame.width) / 2, Float(frame.height) / 2)
      let box = Box(x1: x - side / 2, y1: y - side / 2, x2: x + side / 2, y2: y + side / 2)
      return [Face(box: box, score: 1, landmarks: [])]
    }
  }
}

private struct MiddleFamily: DetectorFamily {
  let name = "middle"
  let title = "Middle"
  let storeEntries = ["middle"]

  func recognised(_ weights: StateDict) -> DetectorWeights? {
    guard weights["middle.side"] != nil else { return nil }
    return DetectorWeights(detector: name, architecture: "middle-1", scheme: "own", norm: nil)
  }

  func converted(_ weights: StateDict) -> StateDict { weights }

  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector {
    let side = try weights["middle.side"]?.tensor().scalars[0] ?? 0
    return MiddleDetector(side: max(side, settings.minimumFaceSize ?? 0))
  }
}

@Suite struct DetectorFamilyTests {
  init() { DetectorFamilies.register(MiddleFamily()) }

  private let weights = StateDict(
    tensors: [.init("middle.side", Tensor([24], shape: [1]))], file: "middle.safetensors")

  @Test func aDetectorOfOnesOwnIsMadeOfItsWeights() throws {
    #expect(DetectorWeights(recognizing: weights)?.architecture == "middle-1")
    #expect(DetectorFamilies.named("middle")?.storeEntries == ["middle"])
    let frame = Image(width: 64, height: 48) { $0.update(repeating: 9) }
    let detector = try DetectorFamilies.detector(of: weights)
    #expect(try detector.detect([frame])[0][0].box.width == 24)
    // It says nothing of scales, and is not bothered with one.
    #expect(detector.frameScale == 1)
    #expect(try detector.detect([frame], scale: 0.5)[0][0].box.width == 24)
    var settings = DetectorSettings()
    settings.minimumFaceSize = 30
    let strict = try DetectorFamilies.detector(of: weights, settings)
    #expect(try strict.detect([frame])[0][0].box.width == 30)
  }

  @Test func aNameIsTakenOnce() {
    DetectorFamilies.register(MiddleFamily())
    #expect(DetectorFamilies.all.count { $0.name == "middle" } == 1)
    #expect(DetectorFamilies.all.prefix(2).map(\.name) == ["retinaface", "mtcnn"])
  }

  @Test func weightsOfOtherDetectorsAreToldApart() throws {
    let stranger = StateDict(tensors: [.init("a.weight", Tensor(zeros: [1]))], file: "a.pt")
    let unknown = #expect(throws: WeightsError.self) {
      try DetectorFamilies.detector(of: stranger)
    }
    #expect(unknown?.description.contains("(retinaface, mtcnn, ") == true)
    #expect(unknown?.description.contains("middle") == true)
    let error = #expect(throws: WeightsError.self) { try RetinaFace(weights: weights) }
    #expect(error?.description.contains("Middle (middle-1)") == true)
    #expect(error?.description.contains("name the detector middle") == true)
  }
}
