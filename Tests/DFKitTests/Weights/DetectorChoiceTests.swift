import DFKit
import Foundation
import TestSupport
import Testing

/// A detector of a program of its own: the whole picture is a face of the score that its weights
/// say, if that is not below the threshold.
private struct WholePictureFamily: DetectorFamily {
  let name = "whole-picture"
  let title = "Whole picture"
  let storeEntries: [String] = []

  func recognised(_ weights: StateDict) -> DetectorWeights? {
    guard weights["whole.score"] != nil else { return nil }
    return DetectorWeights(detector: name, architecture: name, scheme: name, norm: nil)
  }

  func converted(_ weights: StateDict) -> StateDict { weights }

  func makeDetector(
    _ weights: StateDict, _ settings: DetectorSettings
  ) throws(WeightsError) -> any FaceDetector {
    let score = try weights["whole.score"]?.tensor().scalars.first ?? 0
    return WholePicture(score: score, threshold: settings.threshold ?? 0.5)
  }

  struct WholePicture: FaceDetector {
    let score, threshold: Float

    func detect(_ images: [Image]) -> [[Face]] {
      images.map { image in
        let box = Box(x1: 0, y1: 0, x2: Float(image.width), y2: Float(image.height))
        return score < threshold ? [] : [Face(box: box, score: score, landmarks: [])]
      }
    }
  }
}

/// Which detector is taken where none is named.
@Suite struct DetectorChoiceTests {
  private func withStore(_ body: (WeightsStore) throws -> Void) throws {
    try Paths.withTemporaryFolder { try body(WeightsStore(folder: $0)) }
  }

  private func put(_ entry: String, in store: WeightsStore) throws {
    let folder = store.folder(of: entry)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: folder.appendingPathComponent("\(entry).bin"))
  }

  private var mtcnn: Recipe.Detector {
    var settings = Recipe.Detector()
    settings.kind = .mtcnn
    return settings
  }

  @Test func fetchedRetinaFaceGoesBeforeTheOneThatShips() throws {
    try withStore { store in
      let settings = Recipe.Detector()
      let shipped = try settings.choice(in: store)
      #expect(shipped.name == "built-in face-detector" && shipped.origin == .shipped)
      #expect(shipped.remark?.contains("weights fetch retinaface-mobilenet0.25") == true)
      #expect(try settings.choice(in: nil) == shipped)
      // Another detector's weights change nothing.
      try put("mtcnn", in: store)
      #expect(try settings.choice(in: store) == shipped)
      // Each of these goes before those fetched so far.
      for entry in [
        "retinaface-resnet50", "retinaface-mobilenet0.25-biubug6", "retinaface-mobilenet0.25",
      ] {
        try put(entry, in: store)
        let choice = try settings.choice(in: store)
        #expect(choice.name == entry && choice.origin == .fetched)
        #expect(choice.weights.file?.lastPathComponent == "\(entry).bin")
        #expect(choice.settings == settings && choice.remark?.contains(entry) == true)
      }
      var pinned = settings
      pinned.weights = "face-detector"
      let choice = try pinned.choice(in: store)
      #expect(choice.name == "built-in face-detector" && choice.remark == nil)
      let given = WeightsSource.file(URL(fileURLWithPath: "/some/file.pth"))
      #expect(try pinned.choice(given: given, in: store).weights == given)
    }
  }

  @Test func aRecipeCanNameADetectorThatAProgramRegistered() throws {
    DetectorFamilies.register(WholePictureFamily())
    try Paths.withTemporaryFolder { folder in
      try StateDict(tensors: [StateDict.Entry("whole.score", Tensor([0.4], shape: [1]))])
        .write(safetensors: folder.appendingPathComponent("whole.safetensors"))
      let file = folder.appendingPathComponent("mine.yaml")
      for (threshold, count) in [("threshold: 0.3", 1), ("threshold: 0.45", 0), ("minFace: 1", 0)] {
        let yaml = """
          name: mine
          detector: {kind: whole-picture, weights: whole.safetensors, \(threshold)}
          members: [{name: a, architecture: xception}]
          """
        try Data(yaml.utf8).write(to: file)
        let recipe = try Recipe(contentsOf: file)
        #expect(try Recipe(yaml: recipe.yaml, file: "").detector == recipe.detector)
        let detector = try recipe.detector.choice(in: nil).load()
        let picture = Image(width: 20, height: 10) { $0.initialize(repeating: 9) }
        #expect(try detector.detect([picture])[0].count == count, "\(threshold)")
      }
    }
    var settings = Recipe.Detector()
    settings.kind = try #require(Recipe.Detector.Kind(rawValue: "whole-picture"))
    #expect(Recipe.Detector.Kind(rawValue: "no-such-detector") == nil)
    try withStore { store in
      #expect {
        try settings.choice(in: store)
      } throws: {
        "\($0)".contains("whole-picture needs weights")
      }
    }
  }

  @Test func aDetectorWithoutWeightsIsAnErrorUnlessAnotherMayServe() throws {
    try withStore { store in
      var settings = mtcnn
      settings.frameScale = .auto
      settings.minFace = 40
      for place in [store, nil] {
        let choice = try settings.choice(in: place, allowsOther: true)
        #expect(choice.settings.kind == .retinaface && choice.replaced == .mtcnn)
        #expect(choice.settings.frameScale == .auto)
        #expect(choice.settings.method == Recipe.Detector().method)
        #expect(choice.remark?.contains("weights fetch mtcnn'") == true)
      }
      #expect(throws: WeightsStoreError.noHome) { try mtcnn.choice(in: nil) }
      try put("retinaface-resnet50", in: store)
      let error = #expect(throws: WeightsStoreError.self) { try mtcnn.choice(in: store) }
      #expect(error?.description.contains("dfkit weights fetch mtcnn'") == true)
      #expect(error?.description.contains("--detector retinaface uses them") == true)
      try put("mtcnn", in: store)
      #expect(try mtcnn.choice(in: store, allowsOther: true).settings == mtcnn)
    }
  }

  @Test func weightsTellTheirDetector() throws {
    let shipped = try #require(ShippedWeights.named("face-detector"))
    #expect(Recipe.Detector.Kind(recognizing: try shipped.read()) == .retinaface)
    let classifier = try #require(ShippedWeights.named("default"))
    #expect(Recipe.Detector.Kind(recognizing: try classifier.read()) == nil)
  }
}
