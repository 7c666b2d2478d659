import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// Networks that are packed when they are first used and can be given up in between.
@Suite(.serialized) struct UnloadingTests {
  private let x = Formula.image("unloading", batch: 1, height: 64, width: 64)

  @Test(arguments: [Norm.batch, .group])
  func aNetworkThatWasGivenUpIsTheSameAgain(_ norm: Norm) throws {
    let settings = ClassifierSettings(.efficientNetB0, norm: norm)
    let model = try ClassifierModel(formulaState(settings, varianceScale: 0.4))
    model.unload()
    let before = model.logits(x).scalars
    #expect(before.allSatisfy { $0.isFinite })
    let copy = model
    model.unload()
    model.unload()
    #expect(copy.logits(x).scalars == before)
    model.prepare()
    #expect(model.logits(x).scalars == before)
  }

  @Test func givingANetworkUpGivesItsMemoryBack() throws {
    let settings = ClassifierSettings(.efficientNetB0, norm: .group)
    let model = try ClassifierModel(formulaState(settings, varianceScale: 0.4))
    model.prepare()
    TensorMemory.releaseUnused()
    let packed = TensorMemory.allocatedBytes
    model.unload()
    TensorMemory.releaseUnused()
    // 4 M parameters; other tests run beside this one.
    #expect(packed - TensorMemory.allocatedBytes > 8_000_000)
  }

  @Test func randomWeightsCannotComeBackAndAreKept() {
    let model = ClassifierModel(random: ClassifierSettings(.efficientNetB0), seed: 3)
    let before = model.logits(x).scalars
    model.unload()
    #expect(model.logits(x).scalars == before)
  }

  @Test func manyTasksMayAskFirst() async throws {
    let settings = ClassifierSettings(.efficientNetB0, norm: .group)
    let model = try ClassifierModel(formulaState(settings, varianceScale: 0.4))
    let all = await withTaskGroup(of: [Float].self) { group in
      for _ in 0..<4 { group.addTask { model.logits(x).scalars } }
      return await group.reduce(into: [[Float]]()) { $0.append($1) }
    }
    #expect(all.count == 4 && all.allSatisfy { $0 == all[0] })
  }
}
