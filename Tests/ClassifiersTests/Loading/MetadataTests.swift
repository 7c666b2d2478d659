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

  @Test(arguments: [1, 2])
  func calibrationsChangeProbabilitiesAndNotLogits(_ classes: Int) throws {
    var settings = settings
    settings.classCount = classes
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = settings.metadata.entries
    let plain = try ClassifierModel(state)
    #expect(plain.calibration == nil)
    settings.calibration = LogitCalibration(scale: 0.25, offset: -1)
    state.metadata = settings.metadata.entries
    let calibrated = try ClassifierModel(state)
    #expect(calibrated.settings == settings)
    var generator = SeededGenerator(seed: 4)
    let crop = Image(width: 40, height: 30) { pixels in
      for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
    }
    let logits = try #require(calibrated.logits(of: [crop]).first)
    #expect(logits == plain.logits(of: [crop]).first)
    let odds = Double(classes == 1 ? logits[0] : logits[1] - logits[0])
    let expected = Float(sigmoid(0.25 * odds - 1))
    expectClose(try calibrated.scores([crop]), [expected], tolerance: 1e-6)
    expectClose(
      try plain.scores([crop]), [Float(sigmoid(odds))], tolerance: 1e-6)
    // What is scored as a member of an ensemble is the same.
    expectClose(
      [try Ensemble(scorers: [calibrated]).assess([crop]).probability], [expected],
      tolerance: 1e-6)
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
