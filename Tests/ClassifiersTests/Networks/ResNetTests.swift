import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// ResNets and ResNeXts against torchvision's and timm's, with weights that each side computes from
/// the published keys (`Fixtures/make_resnets.py`).
@Suite(.serialized) struct ResNetTests {
  struct Golden: Decodable {
    var networks: [GoldenNetworkTests.Entry]
    var gradients: [Step]
    var gradcam: [Cam]

    static func read() throws -> Golden {
      try GoldenNetworkTests.decode(Golden.self, Paths.fixture("resnets.json"))
    }
  }

  /// A training step's loss and samples of its gradients.
  struct Step: Decodable {
    struct Gradient: Decodable {
      var key: String
      /// The largest element's magnitude.
      var most: Float
      var samples: [Float]
    }

    var model: String
    var groups: Int
    var size: Int
    var batch: Int
    var input: String
    var loss: Float
    var gradients: [Gradient]
  }

  /// A heat map.
  struct Cam: Decodable {
    var model: String
    var groups: Int
    var size: Int
    var varianceScale: Double
    var input: String
    var depth: Int
    var height: Int
    var width: Int
    var logit: Float
    var map: [Float]
  }

  private func settings(
    _ model: String, groups: Int, scheme: Scheme = .torchvision, classes: Int = 1
  ) throws -> ClassifierSettings {
    // torchvision's name has underscores: resnext50_32x4d.
    let name = model.split(separator: "_").joined(separator: "-")
    return ClassifierSettings(
      try #require(Architecture(rawValue: name)), scheme: scheme,
      norm: groups > 0 ? .group(groups: groups, epsilon: 1e-5) : nil, classCount: classes)
  }

  @Test func logitsAndFeaturesAreThoseOfTheirPeers() throws {
    let golden = try Golden.read()
    #expect(golden.networks.count == 7)
    for entry in golden.networks {
      let scheme = try #require(Scheme(rawValue: entry.source))
      try GoldenVector(
        name: entry.input,
        settings: settings(
          entry.model, groups: entry.groups, scheme: scheme, classes: entry.classes),
        varianceScale: entry.varianceScale, size: entry.size, batch: entry.batch,
        features: entry.features, logits: entry.logits
      ).check(plain: !entry.model.hasPrefix("resnext101") || entry.groups == 0)
    }
  }

  /// The script computes in double precision, with frozen running statistics.
  @Test func gradientsArePyTorchs() throws {
    let steps = try Golden.read().gradients
    #expect(steps.count == 2)
    for step in steps {
      let settings = try settings(step.model, groups: step.groups)
      let network = settings.makeNetwork(dropout: 0, stochasticDepth: 0)
      try network.loadWeights(
        formulaState(settings, varianceScale: 1), scheme: settings.scheme,
        architecture: settings.architecture)
      let x = Formula.image(step.input, batch: step.batch, height: step.size, width: step.size)
      let targets = Tensor((0..<step.batch).map { Float($0 % 2) }, shape: [step.batch, 1])
      let (loss, gradients) = valueAndGrad {
        network(x, .training(TrainingContext(seed: 1, step: 0, freezesStatistics: true)))
          .binaryCrossEntropy(targets)
      }
      expectClose([loss], [step.loss], tolerance: 1e-4, step.input)
      #expect(step.gradients.count == 10)
      for expected in step.gradients {
        let parameter = try #require(network.store.parameters.first { $0.key == expected.key })
        let gradient = try #require(gradients[parameter])
        let found = stepped(parameter.fileOrder(gradient), 16)
        expectClose(
          found.map { $0 / expected.most }, expected.samples.map { $0 / expected.most },
          tolerance: 1e-4, "\(step.input) \(expected.key)")
      }
    }
  }

  @Test func heatMapsArePyTorchs() throws {
    let cams = try Golden.read().gradcam
    #expect(cams.count == 3)
    for golden in cams {
      let settings = try settings(golden.model, groups: golden.groups)
      var cam = try GradCAM(
        formulaState(settings, varianceScale: golden.varianceScale),
        ClassifierOptions(groups: golden.groups > 0 ? golden.groups : nil))
      cam.depth = golden.depth
      let (map, logit) = cam(
        Formula.image(golden.input, batch: 1, height: golden.size, width: golden.size))
      #expect(map.width == golden.width && map.height == golden.height, "\(golden.input)")
      expectClose([logit], [golden.logit], tolerance: 1e-4, golden.input)
      let highest = try #require(golden.map.max())
      expectClose(
        map.values.map { $0 / highest }, golden.map.map { $0 / highest }, tolerance: 1e-3,
        "\(golden.input), depth \(golden.depth)")
    }
  }

  /// Parameters in millions, as their authors and timm count them, with 1000 classes.
  @Test(arguments: [
    (Architecture.resNet50, 25_557_032), (.resNet101, 44_549_160), (.resNeXt50_32x4d, 25_028_904),
    (.resNeXt101_32x8d, 88_791_336), (.resNeXt101_32x16d, 194_026_792),
    (.resNeXt101_32x32d, 468_530_472), (.resNeXt101_32x48d, 828_411_176),
  ])
  func theyHaveAsManyParametersAsPublished(_ architecture: Architecture, _ count: Int) {
    let settings = ClassifierSettings(architecture, classCount: 1000)
    let parameters = settings.makeNetwork().store.parameters
    let learned = parameters.filter { $0.role != .statistic }
    #expect(learned.reduce(0) { $0 + $1.shape.reduce(1, *) } == count)
    #expect(settings.input == InputSpec(size: 224))
  }

  @Test func widerAndOtherNetworksAreNotTakenForThese() throws {
    let inner = ClassifierSettings(.resNeXt50_32x4d)
    var state = formulaState(inner, varianceScale: 1)
    #expect(Architecture.recognised(in: state, .timm) == .resNeXt50_32x4d)
    // wide_resnet50_2 is as wide, without groups.
    state["layer1.0.conv2.weight"] =
      StateDict(
        tensors: [.init("w", Tensor(zeros: [128, 128, 3, 3]))])["w"]
    #expect(Architecture.recognised(in: state, .timm) == nil)
    #expect {
      try ClassifierModel(state)
    } throws: { error in
      "\(error)".contains("architecture") && "\(error)".contains("resnext101-32x16d")
    }
  }

  @Test func aCheckpointOfAThousandClassesStartsTraining() throws {
    let published = formulaState(
      ClassifierSettings(.resNet50, scheme: .torchvision, classCount: 10), varianceScale: 1)
    for norm in [Norm.batch, .group] {
      let network = ClassifierSettings(.resNet50, norm: norm).makeNetwork()
      network.store.initialize(seed: 1)
      let transfer = try network.transferWeights(published, architecture: .resNet50)
      #expect(transfer.new == ["fc.weight", "fc.bias"])
      #expect(transfer.taken.contains("layer4.2.conv3.weight"))
      #expect(transfer.dropped.contains { $0.hasSuffix("running_var") } == (norm == .group))
    }
  }

  @Test func aCheckpointThatIsCutShortNamesTheFileAndTheCause() throws {
    let settings = ClassifierSettings(.resNet50)
    let network = settings.makeNetwork()
    network.store.initialize(seed: 1)
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("short.safetensors")
      try network.stateDict(.timm, .resNet50).write(safetensors: file)
      let handle = try FileHandle(forUpdating: file)
      try handle.truncate(atOffset: 50_000_000)
      try handle.close()
      #expect {
        try ClassifierModel(try StateDict.read(file))
      } throws: { error in
        let text = "\(error)"
        return text.contains("short.safetensors") && text.contains("end")
      }
    }
    // A file without some of the layers.
    var state = network.stateDict(.timm, .resNet50)
    state["layer3.2.bn2.weight"] = nil
    #expect {
      try ClassifierModel(state)
    } throws: { error in "\(error)".contains("layer3.2.bn2.weight") }
  }

  @Test func stochasticDepthSkipsBlocksInTrainingOnly() throws {
    let network = ClassifierSettings(.resNet50).makeNetwork(stochasticDepth: 0.9)
    network.store.initialize(seed: 2)
    let x = Formula.image("depth", batch: 2, height: 32, width: 32)
    func frozen(_ step: Int) -> [Float] {
      network(
        x, .training(TrainingContext(seed: 1, step: step, freezesStatistics: true))
      ).scalars
    }
    #expect(frozen(1) == frozen(1))
    #expect(frozen(1) != frozen(2))
    #expect(network(x).scalars != frozen(1))
  }

  /// A batch is computed image by image in the first stages.
  @Test func imagesOfABatchAreJudgedAsAlone() throws {
    let settings = ClassifierSettings(.resNeXt50_32x4d)
    let model = try ClassifierModel(formulaState(settings, varianceScale: 1))
    let x = Formula.image("batch", batch: 3, height: 64, width: 64)
    let together = model.logits(x).scalars
    let alone = (0..<3).flatMap { model.logits(x.slice(axis: 0, $0..<$0 + 1)).scalars }
    expectClose(together, alone, tolerance: 1e-5)
  }
}
