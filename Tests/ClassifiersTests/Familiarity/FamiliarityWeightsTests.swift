import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What is familiar, in weights files.
@Suite struct FamiliarityWeightsTests {
  /// A network's weights, and something familiar to it.
  private static func material() -> (state: StateDict, familiarity: Familiarity) {
    var settings = ClassifierSettings(.efficientNetB0)
    settings.input.size = 32
    settings.stages = 1
    let network = settings.makeNetwork()
    network.store.initialize(seed: 1)
    var state = network.store.stateDict()
    state.metadata = settings.metadata.entries
    let width = 1280
    var generator = SeededGenerator(seed: 2)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in generator.normal() } }
    var familiarity = Familiarity(
      projection: numbers(4 * width), center: numbers(width), means: [numbers(4), numbers(4)],
      residual: 0.25)
    (familiarity.limits[.features], familiarity.limits[.chroma]) = (2.5, 1.25)
    familiarity.notes = ["sources": "a, b"]
    return (state, familiarity)
  }

  @Test(arguments: [ElementType.f32, .f16, .bf16])
  func whatIsWrittenIsRead(_ dtype: ElementType) throws {
    try Paths.withTemporaryFolder { folder in
      let (plain, familiarity) = Self.material()
      var state = plain
      #expect(try ClassifierModel(state).familiarity == nil)
      familiarity.write(to: &state)
      let file = folder.appendingPathComponent("f.safetensors")
      try state.write(safetensors: file, dtype: dtype)
      let read = try StateDict.read(file)
      let model = try ClassifierModel(read)
      let found = try #require(model.familiarity)
      #expect(found.limits == familiarity.limits && found.notes == ["sources": "a, b"])
      #expect(found.residual == 0.25 && found.dimensions == 4 && found.featureCount == 1280)
      if dtype == .f32 { #expect(found == familiarity) }
      let features = (0..<1280).map { Float($0 % 7) / 7 }
      let tolerance: Float = dtype == .f32 ? 1e-6 : dtype == .f16 ? 2e-3 : 2e-2
      expectClose(
        [found.distance(features)], [familiarity.distance(features)], tolerance: tolerance)
      // Fine-tuning takes the network alone.
      var settings = ClassifierSettings(.efficientNetB0)
      settings.stages = 1
      let network = settings.makeNetwork()
      network.store.initialize(seed: 3)
      let transfer = try network.transferWeights(read, architecture: .efficientNetB0)
      #expect(transfer.dropped.isEmpty)
      let image = Image(width: 40, height: 40) { $0.update(repeating: 100) }
      let judged = try model.judge([image, image], sides: [80, 90])
      #expect(judged.map { $0.measures[.size] } == [80, 90])
      #expect(judged[0].score == (try model.scores([image]))[0])
      #expect((judged[0].measures[.features] ?? 0) > 0)
      #expect(found.limits.traitsBeyond(judged[0].measures).contains(.chroma))
    }
  }

  private func expectRefused(
    _ words: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout StateDict) -> Void
  ) {
    let (plain, familiarity) = Self.material()
    var state = plain
    familiarity.write(to: &state)
    change(&state)
    do {
      _ = try ClassifierModel(state)
      Issue.record("\(words): it loaded", sourceLocation: sourceLocation)
    } catch let error as WeightsError {
      #expect(error.description.contains(words), sourceLocation: sourceLocation)
      for part in ["memory", "dfkit familiarity"] {
        #expect(error.description.contains(part), "\(error)", sourceLocation: sourceLocation)
      }
    } catch {
      Issue.record("\(error)", sourceLocation: sourceLocation)
    }
  }

  @Test func damageIsNamed() {
    func tensor(_ shape: [Int], _ value: Float = 1) -> StoredTensor? {
      StateDict(tensors: [.init("x", Tensor(repeating: value, shape: shape))])["x"]
    }
    let (projection, center, means) = (
      "familiarity.projection", "familiarity.center", "familiarity.means"
    )
    expectRefused("\(projection) is missing") { $0[projection] = nil }
    expectRefused("familiarity.center, familiarity.means is missing") {
      ($0[center], $0[means]) = (nil, nil)
    }
    expectRefused("[4, 1279]") { $0[projection] = tensor([4, 1279]) }
    expectRefused("[1280]") { $0[projection] = tensor([1280]) }
    expectRefused("[0, 1280]") { $0[projection] = tensor([0, 1280]) }
    expectRefused("[1025, 1280]") { $0[projection] = tensor([1025, 1280]) }
    expectRefused("[1, 1280]") { $0[center] = tensor([1, 1280]) }
    expectRefused("[2, 5]") { $0[means] = tensor([2, 5]) }
    expectRefused("[8]") { $0[means] = tensor([8]) }
    expectRefused("not finite") { $0[center] = tensor([1280], .nan) }
    expectRefused("row 0 of \(projection) is zero") { $0[projection] = tensor([4, 1280], 0) }
    expectRefused("familiarity.residual") { $0.metadata["familiarity.residual"] = nil }
    expectRefused("familiarity.residual") { $0.metadata["familiarity.residual"] = "0" }
    expectRefused("familiarity.limit.size is \"big\"") {
      $0.metadata["familiarity.limit.size"] = "big"
    }
    expectRefused("familiarity.limit.size is \"inf\"") {
      $0.metadata["familiarity.limit.size"] = "inf"
    }
    expectRefused("is missing") {
      for key in [projection, center, means] { $0[key] = nil }
    }
  }

  /// Nothing else that begins like it is passed over.
  @Test func otherTensorsAreStillRefused() throws {
    let (plain, familiarity) = Self.material()
    var state = plain
    familiarity.write(to: &state)
    state["familiarity.more"] = state["familiarity.center"]
    #expect(throws: WeightsError.self) { try ClassifierModel(state) }
  }

  @Test func truncatedFilesAreRefused() throws {
    try Paths.withTemporaryFolder { folder in
      let (plain, familiarity) = Self.material()
      var state = plain
      familiarity.write(to: &state)
      let file = folder.appendingPathComponent("f.safetensors")
      try state.write(safetensors: file)
      let bytes = try Data(contentsOf: file)
      for count in [bytes.count - 1, bytes.count - 10_000, 40, 7] {
        try bytes.prefix(count).write(to: file)
        #expect(throws: WeightsError.self) { try ClassifierModel(StateDict.read(file)) }
      }
    }
  }
}
