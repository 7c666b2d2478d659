import Classifiers
import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// Classifiers written as ONNX files, run from them, and read back.
@Suite struct ONNXClassifierTests {
  /// A network with random weights and norms that do something.
  struct Network: Sendable, CustomTestStringConvertible {
    var architecture: String
    var scheme: Scheme
    var norm: Norm.Kind
    var size: Int
    var classCount = 1

    var testDescription: String { "\(architecture) \(scheme.rawValue) \(norm.rawValue) \(size)" }

    var options: ClassifierOptions {
      var options = ClassifierOptions(
        scheme: scheme, norm: norm, size: size, classCount: classCount)
      options.architecture = architecture
      return options
    }

    func state() throws -> StateDict {
      let architecture = try #require(Architecture(rawValue: architecture))
      let settings = ClassifierSettings(
        architecture, scheme: scheme, norm: norm == .group ? .group(groups: 8) : nil,
        classCount: classCount)
      let network = settings.makeNetwork()
      network.store.initialize(seed: 3)
      var generator = SeededGenerator(seed: 4, label: "norms")
      for parameter in network.store.parameters where parameter.layout == .unchanged {
        let isPositive = parameter.key.hasSuffix("running_var") || parameter.key.contains("weight")
        parameter.value = .uniform(
          shape: parameter.shape, in: isPositive ? 0.8..<1.2 : -0.1..<0.1, using: &generator)
      }
      return network.stateDict(scheme, architecture)
    }

    var images: Tensor {
      var generator = SeededGenerator(seed: 9, label: "images")
      return .uniform(shape: [2, size, size, 3], in: -2..<2, using: &generator)
    }
  }

  static let networks = [
    Network(architecture: "efficientnet-lite0", scheme: .timm, norm: .batch, size: 64),
    Network(architecture: "efficientnet-b0", scheme: .timm, norm: .group, size: 64),
    Network(architecture: "efficientnet-b0", scheme: Scheme("timm-tf"), norm: .batch, size: 72),
    Network(
      architecture: "efficientnet-b0", scheme: Scheme("lukemelas"), norm: .batch, size: 64,
      classCount: 2),
    Network(architecture: "xception", scheme: .icpr2020dfdc, norm: .batch, size: 96),
    Network(architecture: "resnet50", scheme: .timm, norm: .group, size: 48),
    Network(
      architecture: "resnext50-32x4d", scheme: .timm, norm: .batch, size: 64, classCount: 2),
  ]

  /// The model as read from its file.
  private func reread(_ model: ONNXModel, dtype: ElementType = .f32) throws -> StateDict {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("model.onnx")
      try model.write(to: file, dtype: dtype)
      return try StateDict.read(file)
    }
  }

  @Test(arguments: networks)
  func theGraphComputesTheLogits(_ network: Network) throws {
    let state = try network.state()
    let expected = try ClassifierModel(state, network.options).logits(network.images)
    let model = try ONNXModel(classifier: state, network.options)
    let graph = try ONNXNetwork(try reread(model))
    let found = try graph.run(images: network.images)
    #expect(found.map(\.name) == ["logits"])
    expectClose(found[0].value, expected, tolerance: 1e-4)
  }

  @Test(arguments: networks)
  func theFileIsReadBackByItsNames(_ network: Network) throws {
    let state = try network.state()
    let expected = try ClassifierModel(state, network.options)
    let found = try ClassifierModel(
      try reread(try ONNXModel(classifier: state, network.options)))
    #expect(found.settings == expected.settings)
    #expect(found.logits(network.images).scalars == expected.logits(network.images).scalars)
  }

  @Test(arguments: networks)
  func layersWithoutNamesAreFoundByTheirPlaces(_ network: Network) throws {
    let state = try network.state()
    let expected = try ClassifierModel(state, network.options)
    var model = try ONNXModel(classifier: state, network.options)
    model.metadata = [:]
    try model.foldNorms()
    try model.loseNames()
    let found = try ClassifierModel(try reread(model))
    #expect(found.settings.architecture == expected.settings.architecture)
    // Several schemes may have the same network; the padding tells those apart that differ.
    if network.scheme == .timm { #expect(found.settings.scheme == .timm) }
    #expect(found.settings.norm.kind == network.norm)
    #expect(found.settings.input.size == network.size)
    expectClose(
      found.logits(network.images), expected.logits(network.images), tolerance: 1e-4)
  }

  @Test func normsWithoutNamesAreFoundBesideConvolutionsThatHaveTheirs() throws {
    let network = Self.networks[1]
    let state = try network.state()
    var model = try ONNXModel(classifier: state, network.options)
    model.metadata = [:]
    try model.loseNames { !$0.contains("conv") }
    let found = try ClassifierModel(try reread(model))
    let expected = try ClassifierModel(state, network.options)
    expectClose(
      found.logits(network.images), expected.logits(network.images), tolerance: 1e-4)
  }

  @Test func theProbabilityIsCalibrated() throws {
    let network = Self.networks[3]
    var state = try network.state()
    var metadata = ModelMetadata()
    metadata.calibration = LogitCalibration(scale: 1.5, offset: -0.25)
    state.metadata = metadata.entries
    let model = try ClassifierModel(state, network.options)
    let logits = model.logits(network.images).scalars
    let expected = [
      model.probability(Array(logits[..<2])), model.probability(Array(logits[2...])),
    ]
    let graph = try ONNXNetwork(
      try reread(try ONNXModel(classifier: state, network.options, givesProbability: true)))
    let found = try graph.run(images: network.images)[0]
    #expect(found.name == "probability")
    expectClose(found.value.scalars, expected.compactMap { $0 }, tolerance: 1e-5)
  }

  @Test func aMirroredNetworkIsWrittenWithItsMirror() throws {
    let network = Self.networks[0]
    var options = network.options
    options.isMirrored = true
    let state = try network.state()
    let expected = try ClassifierModel(state, options).logits(network.images)
    let graph = try ONNXNetwork(try reread(try ONNXModel(classifier: state, options)))
    expectClose(try graph.run(images: network.images)[0].value, expected, tolerance: 1e-4)
  }

  @Test func halfPrecisionIsClose() throws {
    let network = Self.networks[0]
    let state = try network.state()
    let expected = try ClassifierModel(state, network.options).logits(network.images)
    let graph = try ONNXNetwork(
      try reread(try ONNXModel(classifier: state, network.options), dtype: .f16))
    expectClose(try graph.run(images: network.images)[0].value, expected, tolerance: 2e-2)
  }

  @Test func anotherGraphWithTheSameLayersIsRefusedInWords() throws {
    let network = Self.networks[0]
    var model = try ONNXModel(classifier: try network.state(), network.options)
    model.metadata = [:]
    try model.loseNames()
    let place = try #require(model.nodes.firstIndex { $0.operation == "Clip" })
    model.nodes[place].operation = "Relu"
    model.nodes[place].inputs = Array(model.nodes[place].inputs.prefix(1))
    let state = try reread(model)
    let error = #expect(throws: WeightsError.self) { try ClassifierModel(state) }
    #expect(error?.description.contains("must be followed by Clip") == true, "\(error as Any)")
  }
}

extension ONNXModel {
  /// Folds each batch norm into the convolution before it, as exporters do.
  fileprivate mutating func foldNorms() throws {
    var kept: [ONNXGraph.Node] = []
    for node in nodes {
      guard node.operation == "BatchNormalization",
        let place = kept.firstIndex(where: { $0.outputs == [node.inputs[0]] }),
        kept[place].operation == "Conv"
      else {
        kept.append(node)
        continue
      }
      let parts = try node.inputs.dropFirst().map { try #require(try tensors[$0]?.tensor()) }
      let scale = parts[0] / (parts[3] + node.number("epsilon", otherwise: 1e-5)).squareRoot()
      let key = kept[place].inputs[1]
      let weight = try #require(try tensors[key]?.tensor())
      let folded = weight * scale.reshaped([scale.count, 1, 1, 1])
      let bias = StateDict(tensors: [
        .init(key, folded), .init(key + ".bias", parts[1] - parts[2] * scale),
      ])
      for key in bias.keys { tensors[key] = bias[key] }
      for key in node.inputs.dropFirst() { tensors[key] = nil }
      kept[place].inputs.append(key + ".bias")
      kept[place].outputs = node.outputs
    }
    nodes = kept
  }

  /// Gives tensors names that say nothing; all of them if `loses` is not given.
  fileprivate mutating func loseNames(_ loses: (String) -> Bool = { _ in true }) throws {
    let names = Dictionary(
      uniqueKeysWithValues: tensors.keys.enumerated().map {
        ($1, loses($1) ? "onnx::\($0)" : $1)
      })
    tensors = try tensors.renamingKeys { names[$0] }
    for index in nodes.indices {
      nodes[index].inputs = nodes[index].inputs.map { names[$0] ?? $0 }
      nodes[index].name = ""
    }
  }
}
