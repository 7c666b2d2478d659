import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// Checkpoints that wrap a network of another scheme: the same tensors under other keys must give
/// the same logits. The keys are written out here once more, as the projects save them.
@Suite(.serialized) struct SchemeTests {
  let x = Formula.image("schemes", batch: 1, height: 64, width: 64)

  func logits(_ state: StateDict, _ options: ClassifierOptions = .init()) throws -> [Float] {
    try ClassifierModel(state, options).logits(x).scalars
  }

  func base(_ architecture: Architecture, _ scheme: Scheme, classes: Int = 1) -> StateDict {
    formulaState(
      ClassifierSettings(architecture, scheme: scheme, classCount: classes), varianceScale: 0.4)
  }

  @Test func selimsef() throws {
    let inner = base(.efficientNetB1, .timmTF)
    var outer = try inner.renamingKeys { key in
      key.hasPrefix("classifier.") ? "fc." + key.dropFirst(11) : "encoder." + key
    }
    let imageNet = StateDict(
      tensors: [
        .init("encoder.classifier.weight", Tensor(zeros: [4, 1280])),
        .init("encoder.classifier.bias", Tensor(zeros: [4])),
      ])
    for key in imageNet.keys { outer[key] = imageNet[key] }
    let model = try ClassifierModel(outer)
    #expect(model.settings.scheme == .selimsef)
    expectClose(
      model.logits(x).scalars, try logits(inner, ClassifierOptions(scheme: .timmTF)),
      tolerance: 1e-6)
  }

  @Test func icpr2020dfdc() throws {
    let inner = base(.efficientNetB1, .lukemelas)
    let outer = try inner.renamingKeys { key in
      key.hasPrefix("_fc.") ? "classifier." + key.dropFirst(4) : "efficientnet." + key
    }
    expectClose(try logits(outer), try logits(inner), tolerance: 1e-6)
    #expect(try ClassifierSettings.resolve(outer).input.size == 224)
  }

  @Test func selfBlendedImages() throws {
    let inner = base(.efficientNetB1, .lukemelas, classes: 2)
    let outer = try inner.renamingKeys { "net." + $0 }
    expectClose(try logits(outer), try logits(inner), tolerance: 1e-6)
    let settings = try ClassifierSettings.resolve(outer)
    #expect(settings.scheme == .sbi && settings.classCount == 2)
  }

  @Test func xceptions() throws {
    let inner = base(.xception, .timm)
    let expected = try logits(inner)
    let older = try inner.renamingKeys { key in
      key.hasPrefix("fc.") ? "last_linear." + key.dropFirst(3) : key
    }
    expectClose(try logits(older), expected, tolerance: 1e-6)
    let wrapped = try older.renamingKeys { "xception." + $0 }
    expectClose(try logits(wrapped), expected, tolerance: 1e-6)
    #expect(try ClassifierSettings.resolve(wrapped).input == InputSpec(size: 224))

    var matrices = inner
    for key in inner.keys where key.hasSuffix("pointwise.weight") {
      let weight = try #require(inner[key]).tensor()
      matrices[key] =
        StateDict(
          tensors: [.init(key, weight.reshaped([weight.shape[0], weight.shape[1]]))])[key]
    }
    expectClose(try logits(matrices), expected, tolerance: 1e-6)
  }

  @Test(arguments: ["model.", "model.net."])
  func wrappersChangeNothing(_ prefix: String) throws {
    let inner = base(.efficientNetB0, .lukemelas)
    let outer = try inner.renamingKeys { prefix + $0 }
    let expected = try logits(inner)
    if prefix == "model." { expectClose(try logits(outer), expected, tolerance: 1e-6) }
    // `net.` is also how self-blended images' networks are wrapped.
    expectClose(
      try logits(outer, ClassifierOptions(scheme: .lukemelas)), expected, tolerance: 1e-6)
    expectClose(try logits(outer.unwrapped(.lukemelas)), expected, tolerance: 1e-6)
    // Errors are in the file's own keys.
    var damaged = outer
    damaged[prefix + "_fc.weight"] = nil
    damaged["\(prefix)extra"] = outer[prefix + "_fc.bias"]
    do {
      _ = try ClassifierModel(
        damaged, ClassifierOptions(architecture: .efficientNetB0, scheme: .lukemelas))
      Issue.record("loaded")
    } catch WeightsError.mismatch(let mismatch) {
      #expect(!mismatch.missing.isEmpty)
      #expect(mismatch.description.count < 1500)
    }
  }

  @Test func theFilesOwnWordDecidesBetweenTimmsTwo() throws {
    var state = base(.efficientNetB0, .timm)
    let tensorFlow = try logits(state, ClassifierOptions(scheme: .timmTF))
    let plain = try logits(state)
    state.metadata = ["arch": "tf_efficientnet_b0"]
    #expect(try logits(state) == tensorFlow)
    state.metadata = ["args.model": "efficientnet_b0"]
    #expect(try logits(state) == plain)
  }

  @Test func timmsTwoKindsDiffer() throws {
    let state = base(.efficientNetB0, .timm)
    let plain = try logits(state)
    let tensorFlow = try logits(state, ClassifierOptions(scheme: .timmTF))
    #expect(abs(plain[0] - tensorFlow[0]) > 1e-3)
  }
}
