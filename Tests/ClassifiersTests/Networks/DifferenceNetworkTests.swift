import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Networks that read a crop and the difference to a later one.
@Suite(.serialized) struct DifferenceNetworkTests {
  /// An entry of `Fixtures/input_channels.json`: timm's networks with more input channels.
  struct Entry: Decodable {
    var model: String
    var groups: Int
    var channels: Int
    var size: Int
    var batch: Int
    var input: String
    var varianceScale: Double
    var features: [Float]
    var logits: [Float]
  }

  private struct File: Decodable {
    var networks: [Entry]
  }

  private static let entries =
    (try? JSONDecoder().decode(
      File.self, from: Data(contentsOf: Paths.fixture("input_channels.json"))))?.networks ?? []

  private func settings(
    _ name: String = "efficientnet-lite0", reading difference: InputSpec.Difference?,
    groups: Int = 0,
    size: Int = 48
  ) throws -> ClassifierSettings {
    var settings = ClassifierSettings(
      try #require(Architecture(rawValue: name)),
      norm: groups > 0 ? .group(groups: groups, epsilon: 1e-5) : nil)
    settings.input.size = size
    settings.input.difference = difference
    return settings
  }

  /// Random crops with later ones.
  private func crops(_ count: Int, later: Bool = true) -> [MotionCrop] {
    var generator = SeededGenerator(seed: 3, label: "crops")
    func picture() -> Image {
      Image(width: 60, height: 52) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
    return (0..<count).map { _ in MotionCrop(picture(), later: later ? picture() : nil) }
  }

  @Test func equalTimmsWithMoreChannels() throws {
    #expect(Self.entries.count == 5)
    for entry in Self.entries {
      let name =
        entry.model == "legacy_xception"
        ? "xception" : entry.model.replacing("efficientnet_", with: "efficientnet-")
      let channels = try #require(InputSpec.Difference.Channels(count: entry.channels - 3))
      let settings = try settings(
        name, reading: .init(seconds: 0.1, channels: channels), groups: entry.groups,
        size: entry.size)
      #expect(settings.input.channelCount == entry.channels)
      var state = formulaState(settings, varianceScale: entry.varianceScale)
      state.metadata = settings.metadata.entries
      let count = entry.batch * entry.size * entry.size * entry.channels
      let x = Tensor(
        Formula.uniform(entry.input, count: count).map { Float(($0 - 0.5) * 4) },
        shape: [entry.batch, entry.size, entry.size, entry.channels])
      let network = settings.makeNetwork()
      try network.loadWeights(
        state, scheme: settings.scheme, architecture: settings.architecture)
      let model = try ClassifierModel(state)
      #expect(model.settings == settings)
      for (found, kind) in [(network, "plain"), (model.network, "packed")] {
        let label = "\(entry.input) \(kind)"
        expectClose(samples(found.features(x)), entry.features, tolerance: 2e-5, label)
        expectClose(found(x).scalars, entry.logits, tolerance: 2e-5, label)
      }
    }
  }

  @Test func aFileStatesItsDifference() throws {
    for channels in InputSpec.Difference.Channels.allCases {
      let settings = try settings(reading: .init(seconds: 0.12, channels: channels))
      let network = settings.makeNetwork()
      network.store.initialize(seed: 5)
      var state = network.stateDict(settings.scheme, settings.architecture)
      state.metadata = settings.metadata.entries
      #expect(state.metadata["difference"] == "0.12")
      #expect(state.metadata["differenceChannels"] == channels.rawValue)
      let restored = try Paths.withTemporaryFolder { folder in
        let file = folder.appendingPathComponent("motion.safetensors")
        try state.write(safetensors: file)
        return try ClassifierModel(StateDict.read(file))
      }
      #expect(restored.settings == settings)
      let x = crops(3)
      let input = settings.input.prepare(x)
      #expect(input.shape == [3, 48, 48, 3 + channels.count])
      expectClose(restored.logits(of: x).flatMap { $0 }, network(input).scalars, tolerance: 1e-5)
      // Crops alone are judged as if nothing moved.
      let still = restored.logits(of: x.map(\.image))
      #expect(still == restored.logits(of: x.map { MotionCrop($0.image, later: $0.image) }))
      #expect(still != restored.logits(of: x))
      #expect(try restored.scores(x.map(\.image)).count == 3)

      // Without metadata, the first layer tells the channels, but nothing tells the time.
      state.metadata = [:]
      let error = #expect(throws: ClassifierError.self) { try ClassifierModel(state) }
      #expect(error?.description.contains("does not say how much later") == true)
      var options = ClassifierOptions()
      options.difference = 0.12
      #expect(
        try ClassifierSettings.resolve(state, options).input.difference
          == .init(seconds: 0.12, channels: channels))
      options.differenceChannels = channels == .luma ? .rgb : .luma
      let other = #expect(throws: ClassifierError.self) { try ClassifierModel(state, options) }
      #expect(other?.description.contains("which is \(channels.rawValue)") == true)
    }
  }

  @Test func aFirstLayerThatDoesNotFitIsRefused() throws {
    let plain = try settings(reading: nil)
    var state = formulaState(plain, varianceScale: 1)
    var options = ClassifierOptions()
    options.difference = 0.04
    let error = #expect(throws: ClassifierError.self) { try ClassifierModel(state, options) }
    #expect(error?.description.contains("reads 3 channels") == true)
    // A number of channels that no difference has.
    state["conv_stem.weight"] =
      StateDict(
        tensors: [.init("conv_stem.weight", Tensor(zeros: [32, 5, 3, 3]))])["conv_stem.weight"]
    let five = #expect(throws: ClassifierError.self) { try ClassifierModel(state) }
    #expect(five?.description.contains("reads 5 channels") == true)
  }

  @Test(arguments: ["nan", "inf", "-1", "0", "5", "1e9", "", "soon"])
  func hostileTimesAreRefused(_ text: String) throws {
    let settings = try settings(reading: .init(seconds: 0.1))
    var state = formulaState(settings, varianceScale: 1)
    state.metadata = settings.metadata.entries
    state.metadata["difference"] = text
    #expect(throws: (any Error).self) { try ClassifierModel(state) }
    state.metadata["difference"] = "0.1"
    state.metadata["differenceChannels"] = text
    #expect(throws: (any Error).self) { try ClassifierModel(state) }
  }

  @Test func trainingStartsFromThreeChannels() throws {
    let source = try settings("efficientnet-b0", reading: nil).makeNetwork()
    source.store.initialize(seed: 1)
    let stem = try #require(source.store["conv_stem.weight"]).value
    for scheme in [Scheme.timm, .lukemelas] {
      let state = source.stateDict(scheme, .efficientNetB0)
      for channels in InputSpec.Difference.Channels.allCases {
        let target = try settings(
          "efficientnet-b0", reading: .init(seconds: 0.1, channels: channels)
        )
        .makeNetwork()
        target.store.initialize(seed: 2)
        let transfer = try target.transferWeights(state, architecture: .efficientNetB0)
        #expect(
          transfer.adapted == "conv_stem.weight from 3 to \(3 + channels.count) channels")
        #expect(transfer.summary == ["adapted: \(transfer.adapted ?? "")"])
        #expect(transfer.taken.count == target.store.parameters.count && transfer.new.isEmpty)
        #expect(
          target.store["conv_stem.weight"]?.value.scalars
            == stem.adaptedToInput(channels: 3 + channels.count)?.scalars)
      }
    }
    // From four channels to six, there is no rule.
    let four = try settings("efficientnet-b0", reading: .init(seconds: 0.1)).makeNetwork()
    four.store.initialize(seed: 3)
    let six = try settings("efficientnet-b0", reading: .init(seconds: 0.1, channels: .rgb))
      .makeNetwork()
    six.store.initialize(seed: 4)
    let state = four.store.stateDict()
    let error = #expect(throws: WeightsError.self) {
      try six.transferWeights(state, architecture: .efficientNetB0)
    }
    #expect(error?.description.contains("conv_stem.weight") == true)
    // The same number of channels is taken as it is.
    let other = try settings("efficientnet-b0", reading: .init(seconds: 0.2)).makeNetwork()
    other.store.initialize(seed: 5)
    let same = try other.transferWeights(state, architecture: .efficientNetB0)
    #expect(same.adapted == nil && same.new.isEmpty)
  }

  @Test func theExportedGraphReadsAllChannels() throws {
    for channels in InputSpec.Difference.Channels.allCases {
      let settings = try settings(reading: .init(seconds: 0.1, channels: channels))
      var state = formulaState(settings, varianceScale: 0.5)
      state.metadata = settings.metadata.entries
      let count = 3 + channels.count
      let model = try ONNXModel(classifier: state)
      #expect(
        model.inputs[0].shape == [.named("batch"), .fixed(count), .fixed(48), .fixed(48)])
      #expect(model.metadata["input"]?.contains("0.1 s later") == true)
      let x = settings.input.prepare(crops(2))
      let expected = try ClassifierModel(state).logits(x).scalars
      expectClose(model.outputs(for: x)[0].scalars, expected, tolerance: 1e-4)
      let file = try Paths.withTemporaryFolder { folder in
        let file = folder.appendingPathComponent("motion.onnx")
        try model.write(to: file)
        return try StateDict.read(file)
      }
      // The file as a network of a family, and its graph as it is.
      let restored = try ClassifierModel(file)
      #expect(restored.settings.input == settings.input)
      expectClose(restored.logits(x).scalars, expected, tolerance: 1e-4)
      let graph = try ONNXNetwork(file).run(images: x)
      expectClose(graph[0].value.scalars, expected, tolerance: 1e-4)
    }
  }

  @Test func mirroredCropsMoveMirrored() throws {
    let settings = try settings(reading: .init(seconds: 0.1, channels: .rgb))
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = settings.metadata.entries
    let x = crops(2)
    let mirrored = x.map { $0.map { $0.flippedHorizontally() } }
    expectClose(
      settings.input.prepare(mirrored).scalars,
      settings.input.prepare(x).flipped(axes: [2]).scalars, tolerance: 1e-6)
    var options = ClassifierOptions()
    options.isMirrored = true
    let model = try ClassifierModel(state, options)
    expectClose(
      model.logits(of: mirrored).flatMap { $0 }, model.logits(of: x).flatMap { $0 },
      tolerance: 1e-4)
  }

  @Test func heatMapsSeeTheMotion() throws {
    let settings = try settings(reading: .init(seconds: 0.1))
    var state = formulaState(settings, varianceScale: 0.5)
    state.metadata = settings.metadata.entries
    let cam = try GradCAM(state)
    let crop = crops(1)[0]
    let (map, logit) = cam(crop)
    #expect(map.values.allSatisfy { $0.isFinite })
    expectClose([logit], try ClassifierModel(state).logits(of: [crop])[0], tolerance: 1e-4)
    #expect(cam(crop.image).logOdds != logit)
  }

  @Test func membersNeedTheSameTime() throws {
    let times: [(String, Float?)] = [("a", 0.1), ("b", nil), ("c", 0.2)]
    let members = try times.map { name, time in
      Ensemble.Member(
        name,
        ClassifierModel(
          random: try settings(reading: time.map { .init(seconds: $0) }), seed: 1))
    }
    #expect(try Array(members[0...1]).difference() == 0.1)
    #expect(try [members[1]].difference() == nil)
    let error = #expect(throws: ClassifierError.self) { try members.difference() }
    #expect(error?.description.contains("c: the difference is 0.2 seconds") == true)
    // A member without a difference is judged by the crops alone.
    let x = crops(2)
    #expect(try members[1].scoreOfEach(x) == members[1].scoreOfEach(x.map(\.image)))
    #expect(try members[0].scoreOfEach(x) != members[0].scoreOfEach(x.map(\.image)))
  }
}
