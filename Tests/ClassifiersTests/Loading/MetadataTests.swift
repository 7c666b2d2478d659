import Classifiers
import DeepfakeCore
import TestSupport
import Testing

@Suite struct MetadataTests {
  let settings = ClassifierSettings(
    .efficientNetB0, scheme: .timmTF, norm: .group(groups: 4, epsilon: 1e-5), classCount: 2,
    input: InputSpec(
      size: 96, mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6], channelOrder: .bgr, fit: .letterbox))

  @Test func settingsSurviveAFile() throws {
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = settings.metadata.entries
    #expect(try ClassifierSettings.resolve(state) == settings)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.safetensors")
      try state.write(safetensors: file, metadata: settings.metadata.entries)
      let read = try StateDict.read(file)
      #expect(try ClassifierSettings.resolve(read) == settings)
      let x = Formula.image("metadata", batch: 1, height: 96, width: 96)
      expectClose(
        try ClassifierModel(read).logits(x), try ClassifierModel(state).logits(x),
        tolerance: 1e-6)
    }
  }

  @Test func optionsComeBeforeMetadata() throws {
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = settings.metadata.entries
    let options = ClassifierOptions(
      scheme: .timm, groups: 8, size: 64, mean: [0, 0, 0], fit: .stretch)
    let resolved = try ClassifierSettings.resolve(state, options)
    #expect(resolved.scheme == .timm)
    #expect(resolved.norm == .group)
    #expect(
      resolved.input
        == InputSpec(size: 64, mean: [0, 0, 0], std: [0.4, 0.5, 0.6], channelOrder: .bgr))
  }

  @Test func onlyOurOwnFilesMustBeUnderstood() throws {
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = ["architecture": "EfficientNet", "scheme": "mine", "size": "big"]
    let resolved = try ClassifierSettings.resolve(state)
    #expect(resolved.architecture == .efficientNetB0)
    #expect(resolved.scheme == .timm)
    #expect(resolved.input.size == 224)

    state.metadata["dfkit"] = ModelMetadata.version
    #expect(throws: WeightsError.self) { try ClassifierSettings.resolve(state) }
    state.metadata["size"] = "64"
    #expect {
      try ClassifierSettings.resolve(state)
    } throws: { error in
      error is ClassifierError && "\(error)".contains("EfficientNet")
    }
    // Whoever names the network needs no metadata.
    let options = ClassifierOptions(architecture: .efficientNetB0, scheme: .timm)
    #expect(try ClassifierSettings.resolve(state, options).input.size == 64)
    state.metadata["size"] = "8"
    #expect(throws: ClassifierError.self) { try ClassifierSettings.resolve(state, options) }
  }
}
