import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// A network over frames as a member of an ensemble.
@Suite struct SequenceScorerTests {
  @Test func oneProbabilityForAllCrops() throws {
    let scorer = try SequenceScorer(SequenceMaterial.state())
    let crops = SequenceMaterial.crops(5)
    let scores = scorer.scores(crops)
    #expect(scores.count == 1 && (0...1).contains(scores[0]))
    #expect(scorer.scores([]).isEmpty)
    #expect(scorer.scores(crops.reversed()) != scores)
    let logit = try #require(scorer.logit(of: crops))
    #expect(abs(sigmoid(logit) - scores[0]) < 1e-6)
    scorer.unload()
    #expect(scorer.scores(crops) == scores)
  }

  /// The same from the plain network and the plain head.
  @Test func theLogitIsThatOfTheLayers() throws {
    let state = SequenceMaterial.state()
    let scorer = try SequenceScorer(state)
    let crops = SequenceMaterial.crops(6)
    let frames = state.ofFrameNetwork
    let settings = try ClassifierSettings.resolve(frames)
    let network = settings.makeNetwork()
    try network.loadWeights(frames, scheme: settings.scheme, architecture: settings.architecture)
    let head = try SequenceHead(loading: state, features: network.featureCount)
    let features = network.pooled(settings.input.prepare(crops))
    let logit = head(features.reshaped([1] + features.shape)).item
    expectClose([try #require(scorer.logit(of: crops))], [logit], tolerance: 1e-4)
  }

  @Test func consecutiveClipsAreJudgedInTurn() throws {
    var settings = SequenceMaterial.settings
    settings.clips = .consecutive
    let scorer = try SequenceScorer(SequenceMaterial.state(settings))
    let crops = SequenceMaterial.crops(10)
    let parts = try [0..<4, 4..<8, 6..<10].map { range in
      try #require(scorer.logit(of: Array(crops[range])))
    }
    expectClose(
      [try #require(scorer.logit(of: crops))], [parts.reduce(0, +) / 3], tolerance: 1e-5)
  }

  @Test func aCalibrationIsTheSequences() throws {
    var state = SequenceMaterial.state()
    var metadata = try ModelMetadata(state)
    metadata.calibration = LogitCalibration(scale: 0.5, offset: 1)
    state.metadata = metadata.entries
    let scorer = try SequenceScorer(state)
    let crops = SequenceMaterial.crops(3)
    let logit = try #require(scorer.logit(of: crops))
    #expect(abs(scorer.scores(crops)[0] - sigmoid(0.5 * logit + 1)) < 1e-6)
    #expect(scorer.frames.calibration == nil)
  }

  @Test func mirrorImagesAreAveraged() throws {
    let state = SequenceMaterial.state()
    let crops = SequenceMaterial.crops(3)
    let plain = try SequenceScorer(state)
    let mirrored = try SequenceScorer(state, ClassifierOptions(isMirrored: true))
    let turned = crops.map { crop in
      Image(width: crop.width, height: crop.height) { pixels in
        for y in 0..<crop.height {
          for x in 0..<crop.width {
            let color = crop[crop.width - 1 - x, y]
            let place = 3 * (y * crop.width + x)
            (pixels[place], pixels[place + 1], pixels[place + 2]) =
              (color.red, color.green, color.blue)
          }
        }
      }
    }
    let expected =
      (try #require(plain.logit(of: crops)) + (try #require(plain.logit(of: turned)))) / 2
    expectClose([try #require(mirrored.logit(of: crops))], [expected], tolerance: 1e-4)
  }

  @Test func otherFilesAreRefused() throws {
    let state = SequenceMaterial.state()
    #expect(throws: ClassifierError.self) { try ClassifierModel(state) }
    #expect(throws: ClassifierError.self) { try SequenceScorer(state.ofFrameNetwork) }
    let (own, ofFrames) = (try state.scorer(), try state.ofFrameNetwork.scorer())
    #expect(own is SequenceScorer && ofFrames is ClassifierModel)
    var sequence = ClassifierOptions()
    sequence.sequence = NetworkSettings.FrameSequence()
    #expect(throws: ClassifierError.self) { try state.ofFrameNetwork.scorer(sequence) }
    for key in state.ofSequenceHead.keys {
      var cut = state
      cut[key] = nil
      #expect(throws: WeightsError.self, "without \(key)") { try SequenceScorer(cut) }
    }
  }

  @Test(arguments: [
    "{\"hidden\": 99999999}", "{", "[]", "null", "{\"pooling\": \"sum\"}",
    "{\"hidden\": -1, \"levels\": 1, \"isTwoWay\": true, \"pooling\": \"mean\", \"frames\": 4,"
      + " \"clips\": \"spread\"}", String(repeating: "[", count: 100_000),
  ])
  func hostileSettingsAreRefused(_ text: String) {
    var state = SequenceMaterial.state()
    state.metadata["sequence"] = text
    #expect(throws: WeightsError.self) { try SequenceScorer(state) }
  }

  /// Settings that do not fit the tensors.
  @Test func settingsOfAnotherShapeAreRefused() throws {
    var state = SequenceMaterial.state()
    var metadata = try ModelMetadata(state)
    metadata.sequence?.hidden = 4096
    state.metadata = metadata.entries
    #expect(throws: WeightsError.self) { try SequenceScorer(state) }
  }

  @Test(arguments: NetworkSettings.FrameSequence.Pooling.allCases)
  func itsGraphGivesTheSame(_ pooling: NetworkSettings.FrameSequence.Pooling) throws {
    var settings = SequenceMaterial.settings
    settings.pooling = pooling
    settings.levels = 2
    let state = SequenceMaterial.state(settings)
    let model = try ONNXModel(sequence: state)
    #expect(model.outputs.map(\.name) == ["logit"])
    let reread = try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("sequence.onnx")
      try model.write(to: file)
      return try ONNXNetwork(StateDict.read(file))
    }
    let scorer = try SequenceScorer(state)
    for count in [1, 2, 5] {
      let crops = SequenceMaterial.crops(count)
      let found = try reread.run(images: scorer.frames.input.prepare(crops))[0].value
      expectClose(
        found.scalars, [try #require(scorer.logit(of: crops))], tolerance: 1e-4, "\(count) frames")
    }
  }

  @Test func aFrameIsExplainedByTheLSTM() throws {
    let state = SequenceMaterial.state()
    let crop = SequenceMaterial.crops(1)
    let explained = try GradCAM(state)(crop[0])
    let logit = try #require(SequenceScorer(state).logit(of: crop))
    expectClose([explained.logOdds], [logit], tolerance: 1e-4)
  }
}
