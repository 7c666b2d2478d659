import Classifiers
import DeepfakeCore
import TestSupport
import Testing

/// A family of a test's own: one network of two stages, with a last layer of its own name.
private struct TinyFamily: ClassifierFamily {
  static let network = Architecture("tiny-net")
  let architectures = [network]
  let schemes = [Scheme("tiny")]
  let identifyingKeys: [(scheme: Scheme, keys: [String])] = [
    (Scheme("tiny"), ["first.weight", "verdict.weight"])
  ]

  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec { InputSpec(size: 32) }

  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool {
    checkpoint.shape("second.weight") != nil
  }

  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork {
    let store = ParameterStore()
    let root = store.root
    return ClassifierNetwork(
      store: store,
      stages: [
        [
          Conv2d(root / "first", 3, 8, kernel: 3, stride: 2, padding: .symmetric(1)),
          NormLayer(root / "norm", 8, settings.norm), FunctionLayer { $0.relu() },
        ],
        [Conv2d(root / "second", 8, 12, kernel: 3, stride: 2, padding: .symmetric(1))],
      ],
      dropout: Dropout(root / "dropout", dropout ?? 0),
      last: Linear(root / "verdict", 12, settings.classCount))
  }
}

@Suite struct ClassifierFamilyTests {
  init() { ClassifierFamilies.register(TinyFamily()) }

  private func network(classes: Int = 1, seed: UInt64) -> ClassifierNetwork {
    let network = ClassifierSettings(TinyFamily.network, classCount: classes).makeNetwork()
    network.store.initialize(seed: seed)
    return network
  }

  @Test func registeredNetworksAreKnownByName() {
    #expect(Architecture(rawValue: "tiny-net") == TinyFamily.network)
    #expect(Architecture(rawValue: "tiny-nets") == nil && Scheme(rawValue: "tinier") == nil)
    let count = Architecture.allCases.count
    ClassifierFamilies.register(TinyFamily())
    #expect(Architecture.allCases.count == count)
    #expect(Set(Architecture.allCases.map(\.rawValue)).count == count)
    // What families share, such as timm's scheme, is listed once.
    #expect(Set(Scheme.allCases).count == Scheme.allCases.count)
    for architecture in Architecture.allCases {
      #expect(architecture.family.schemes[0].covers(architecture), "\(architecture.rawValue)")
    }
  }

  @Test func aNetworkOfOnesOwnIsSavedRecognisedAndLoaded() throws {
    var settings = ClassifierSettings(TinyFamily.network)
    settings.input.size = 48
    let plain = network(seed: 5)
    var state = plain.stateDict(settings.scheme, settings.architecture)
    let x = Formula.image("tiny", batch: 3, height: 48, width: 48)
    let expected = plain(x).scalars
    // The keys tell the network, and dfkit's metadata tells the rest.
    #expect(Scheme.recognised(in: state) == Scheme("tiny") && Scheme.warning(in: state) == nil)
    #expect(try ClassifierSettings.resolve(state).input.size == 32)
    state.metadata = settings.metadata.entries
    let model = try ClassifierModel(state)
    #expect(model.settings == settings)
    expectClose(model.logits(x).scalars, expected, tolerance: 1e-5)
    #expect(model.network.featureCount == 12 && model.network.pooled(x).shape == [3, 12])
    // Whatever else the keys begin with does not matter.
    let wrapped = try state.renamingKeys { "model." + $0 }
    expectClose(try ClassifierModel(wrapped).logits(x).scalars, expected, tolerance: 1e-5)
  }

  @Test func theRestOfANetworkBeginsAtAnyDepth() {
    let network = network(seed: 2)
    let x = Formula.image("depth", batch: 2, height: 32, width: 32)
    let logits = network(x).scalars
    for (depth, map) in network.maps(x).enumerated() {
      #expect(network.logits(fromMap: map, at: depth, .inference).scalars == logits)
    }
  }

  @Test func theLastLayerIsWhateverTheNetworkCallsIt() throws {
    let source = network(classes: 5, seed: 1)
    let target = network(seed: 2)
    let transfer = try target.transferWeights(
      source.stateDict(Scheme("tiny"), TinyFamily.network), architecture: TinyFamily.network)
    #expect(transfer.new == ["verdict.weight", "verdict.bias"])
    #expect(
      target.store["second.weight"]?.value.scalars == source.store["second.weight"]?.value.scalars)
    let state = source.stateDict(Scheme("tiny"), TinyFamily.network)
    #expect(try ClassifierSettings.resolve(state).classCount == 5)
  }

  @Test func whatDoesNotApplyAndWhatIsUnknownIsRefused() throws {
    let state = network(seed: 1).stateDict(Scheme("tiny"), TinyFamily.network)
    func message(_ options: ClassifierOptions) -> String {
      let error = #expect(throws: ClassifierError.self) {
        try ClassifierSettings.resolve(state, options)
      }
      return error?.description ?? ""
    }
    #expect(message(ClassifierOptions(stages: 2)).contains("does not apply to tiny-net"))
    let other = ClassifierOptions(architecture: TinyFamily.network, scheme: .timm)
    #expect(message(other).contains("no timm checkpoints of tiny-net"))
    var unknown = ClassifierOptions()
    unknown.architecture = "efficientnet-b99"
    let said = message(unknown)
    #expect(said.contains("efficientnet-b99") && said.contains("efficientnet-b8"))
    #expect(said.contains("tiny-net"))
  }

  @Test func aFamilyThatStatesNoStemReadsSingleCrops() throws {
    #expect(TinyFamily.network.differenceProblem?.contains("stemKey") == true)
    #expect(Architecture.efficientNetB0.differenceProblem == nil)
    #expect(Architecture.xception.differenceProblem == nil)
    let state = network(seed: 5).stateDict(Scheme("tiny"), TinyFamily.network)
    var options = ClassifierOptions()
    options.difference = 0.04
    let error = #expect(throws: ClassifierError.self) { try ClassifierModel(state, options) }
    #expect(error?.description.contains("whose networks read single crops") == true)
  }
}
