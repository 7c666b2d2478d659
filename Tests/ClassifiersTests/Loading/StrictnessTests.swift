import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// Every way in which a checkpoint can fail to fit is told in the checkpoint's own keys.
@Suite(.serialized) struct StrictnessTests {
  static let good = formulaState(
    ClassifierSettings(.efficientNetB0, scheme: .torchvision), varianceScale: 0.4)
  let good = Self.good

  func mismatch(_ state: StateDict, _ options: ClassifierOptions = .init()) -> WeightsMismatch? {
    do {
      _ = try ClassifierModel(state, options)
    } catch let error as WeightsError {
      if case .mismatch(let mismatch) = error { return mismatch }
    } catch {}
    return nil
  }

  @Test func missingUnusedAndMisshapenAreListed() throws {
    let norm = "features.2.1.block.1.1.running_mean"
    let squeeze = "features.1.0.block.1.fc1.weight"
    var state = good
    state[norm] = nil
    state["features.9.weight"] = good["classifier.1.bias"]
    state[squeeze] = good[norm]
    let found = try #require(mismatch(state))
    #expect(found.missing == [norm])
    #expect(found.unused == ["features.9.weight"])
    #expect(found.misshapen.map(\.key) == [squeeze])
    #expect(found.misshapen.first?.expected == [8, 32, 1, 1])
    #expect(found.misshapen.first?.found == [144])
  }

  @Test func messagesAreShortAndNameThePrefix() throws {
    // One tensor beside the wrapped network: nothing is taken off the keys.
    var state = try good.renamingKeys { "model." + $0 }
    state["loss.weight"] = good["classifier.1.bias"]
    let options = ClassifierOptions(architecture: .efficientNetB0, scheme: .torchvision)
    let found = try #require(mismatch(state, options))
    #expect(found.missing.count > 200 && found.unused.count > 200)
    let text = found.description
    #expect(text.utf8.count < 1500, "\(text)")
    #expect(text.contains("missing \(found.missing.count): features.0.0.weight"))
    #expect(text.contains(" and \(found.missing.count - 6) more"))
    #expect(text.contains("features.0.0.weight with the prefix 'model.'"))
    let few = try #require(mismatch(good, ClassifierOptions(classCount: 2)))
    #expect(!few.description.contains("more"))
  }

  @Test func extrasBelongToTheirScheme() throws {
    var state = good
    state["encoder.classifier.weight"] = good["classifier.1.weight"]
    #expect(mismatch(state)?.unused == ["encoder.classifier.weight"])
  }

  @Test func aKeyOfTheNetworksIsNotTakenForTheFiles() throws {
    var state = good
    state["conv_stem.weight"] = good["features.0.0.weight"]
    #expect {
      try ClassifierModel(state)
    } throws: { error in
      "\(error)".contains("conv_stem.weight") && "\(error)".contains("features.0.0.weight")
    }
  }

  @Test func wrongOptionsDoNotLoad() throws {
    let larger = try #require(
      mismatch(good, ClassifierOptions(architecture: .efficientNetB1)))
    #expect(larger.missing.contains("features.1.1.block.0.0.weight"))
    #expect(larger.unused.isEmpty)

    let grouped = try #require(mismatch(good, ClassifierOptions(norm: .group)))
    #expect(grouped.missing.isEmpty && grouped.misshapen.isEmpty)
    #expect(grouped.unused.allSatisfy { $0.contains(".running_") } && grouped.unused.count == 98)

    let classes = try #require(mismatch(good, ClassifierOptions(classCount: 2)))
    #expect(classes.misshapen.map(\.key) == ["classifier.1.weight", "classifier.1.bias"])

    let scheme = try #require(
      mismatch(good, ClassifierOptions(architecture: .efficientNetB0, scheme: .lukemelas)))
    #expect(scheme.missing.contains("_blocks.15._project_conv.weight"))
  }

  @Test(arguments: [
    ClassifierOptions(size: 31), ClassifierOptions(size: 5000), ClassifierOptions(groups: 0),
    ClassifierOptions(mean: [0.5]), ClassifierOptions(mean: [0, .nan, 0]),
    ClassifierOptions(std: [1, 0, 1]), ClassifierOptions(std: [1, 1]),
    ClassifierOptions(classCount: 0), ClassifierOptions(stages: 0), ClassifierOptions(stages: 8),
  ])
  func senselessOptionsAreRefused(_ options: ClassifierOptions) {
    #expect(throws: ClassifierError.self) { try ClassifierModel(good, options) }
  }

  @Test func schemesCoverWhatTheyCover() {
    #expect(throws: ClassifierError.self) {
      try ClassifierModel(good, ClassifierOptions(architecture: .xception))
    }
  }

  @Test func optionsReachTheInput() throws {
    let options = ClassifierOptions(
      size: 64, mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6], channelOrder: .bgr, fit: .letterbox)
    let model = try ClassifierModel(good, options)
    #expect(
      model.input
        == InputSpec(
          size: 64, mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6], channelOrder: .bgr,
          fit: .letterbox))
  }
}
