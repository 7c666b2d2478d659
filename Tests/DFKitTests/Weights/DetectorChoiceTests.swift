import DFKit
import Foundation
import TestSupport
import Testing

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
      #expect(error?.description.contains("--detector retinaface takes them") == true)
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
