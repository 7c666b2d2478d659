import DFKit
import Foundation

// The examples in the doc comments of DeepfakeCore, as printed there (`ReadmeTests` compares them).
// What an example uses without declaring it is a parameter here.

enum CoreExamples {
  static func tensor() -> (product: Tensor, value: Float, gradient: Tensor) {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    let product = x.matmul(x) + 1
    print(product.scalars)  // [8.0, 11.0, 16.0, 23.0]
    let (value, gradients) = valueAndGrad(at: [x]) { ($0[0] * $0[0]).sum() }
    print(value, gradients[0].scalars)  // 30.0 [2.0, 4.0, 6.0, 8.0]
    return (product, value, gradients[0])
  }

  static func seededGenerator() -> (rows: Tensor, die: Int) {
    var generator = SeededGenerator(seed: 1)
    let rows = Tensor.normal(shape: [4, 3], using: &generator)
    let die = Int.random(in: 1...6, using: &generator)
    return (rows, die)
  }

  static func image() -> Image {
    var image = Image(width: 64, height: 48) { $0.update(repeating: 200) }
    image.fillRectangle(x: 0, y: 0, width: 32, height: 48, color: .red)
    let small = image.resized(width: 2, height: 1, method: .area)
    print(small[0, 0].red, small[1, 0].red)  // 230 200
    return small
  }

  static func module(_ images: Tensor) -> Tensor {
    let store = ParameterStore()
    let layers: [any Module] = [
      Conv2d(store.root / "conv", 3, 16, kernel: 3, padding: .symmetric(1)),
      BatchNorm2d(store.root / "norm", 16), FunctionLayer { $0.relu() },
    ]
    store.initialize(seed: 1)
    let fast = layers.forInference()
    let maps = fast(images)
    return maps
  }

  static func conv2d(_ images: Tensor) -> Tensor {
    let store = ParameterStore()
    let stem = Conv2d(store.root / "stem", 3, 16, kernel: 3, stride: 2, padding: .symmetric(1))
    store.initialize(seed: 1)
    let maps = stem(images)  // [batch, 32, 32, 16] for images of [batch, 64, 64, 3]
    return maps
  }

  static func linear(_ features: Tensor) -> Tensor {
    let store = ParameterStore()
    let classifier = Linear(store.root / "classifier", 1280, 1)
    store.initialize(seed: 1)
    let logits = classifier(features)  // [batch, 1] for features of [batch, 1280]
    return logits
  }

  static func lstm(_ features: Tensor) -> (frames: Tensor, summary: Tensor) {
    let store = ParameterStore()
    let lstm = LSTM(store.root / "lstm", 2304, 512, layers: 2, isBidirectional: true)
    store.initialize(seed: 1)
    let frames = lstm(features)  // [batch, steps, 1024] for features of [batch, steps, 2304]
    // Sequences of 25 and of 18 steps, and the outputs at the end of each, by level and direction:
    let summary = lstm(features, lengths: [25, 18]).final.hidden  // [4, 2, 512]
    return (frames, summary)
  }

  static func sequenceSettings() -> NetworkSettings.FrameSequence {
    var sequence = NetworkSettings.FrameSequence()
    sequence.hidden = 512
    sequence.levels = 2
    return sequence
  }

  static func normLayer(_ maps: Tensor) -> Tensor {
    let norm: Norm = .group(groups: 8)  // or .batch
    let store = ParameterStore()
    let layer = NormLayer(store.root / "norm1", 16, norm)
    store.initialize(seed: 1)
    let activated = layer(maps, .inference, activation: .silu)
    return activated
  }

  static func parameterStore() -> ParameterStore {
    let store = ParameterStore()
    let layer = Linear(store.root / "classifier", 1280, 1)
    store.initialize(seed: 1)  // or load weights: try store.load(StateDict.read(file))
    print(layer.weight.shape, store.parameters.map(\.key))
    return store
  }

  static func scope(_ store: ParameterStore) -> any Module {
    struct Head: Module {
      let last: Linear

      init(_ scope: Scope) { last = Linear(scope / "last", 32, 1) }
      func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { last(x.relu(), mode) }
    }
    let head = Head(store.root / "heads" / 0)  // its parameters begin with "heads.0.last."
    return head
  }

  static func optimizer(
    _ network: any Module, _ store: ParameterStore, _ images: Tensor, _ labels: Tensor
  ) {
    var optimizer: any Optimizer = AdamW(learningRate: 1e-3)
    for step in 0..<100 {
      let mode = Mode.training(TrainingContext(seed: 1, step: step))
      let loss = valueAndGrad { network(images, mode).binaryCrossEntropy(labels) }
      optimizer.step(store.parameters, loss.gradients)
    }
  }

  static func adamW(_ layer: Linear, _ store: ParameterStore, _ x: Tensor, _ targets: Tensor) {
    var optimizer = AdamW(learningRate: 1e-3, groups: .decayingWeights(0.05))
    let loss = valueAndGrad { layer(x).squaredError(targets) }
    optimizer.step(store.parameters, loss.gradients)
    print(loss.value)
  }

  static func learningRateSchedule(_ optimizer: inout any Optimizer) {
    let schedule: any LearningRateSchedule = CosineDecay(1e-3, steps: 1000, warmUpSteps: 100)
    for step in 0..<1000 {
      optimizer.learningRate = schedule.rate(at: TrainingTime(step: step))
    }
  }

  static func stateDict(_ file: URL, _ store: ParameterStore, _ copy: URL) throws {
    let state = try StateDict.read(file)
    for key in state.keys { print(key, state[key]?.shape ?? []) }
    try store.load(state)  // throws where a key is missing, unused or misshapen
    try store.stateDict().write(safetensors: copy)
  }

  static func logitCalibration() -> [Float] {
    let calibration = LogitCalibration(scale: 0.5, offset: -0.2) ?? .identity
    let probability = calibration.probability(logit: 2)  // the sigmoid of 0.8: 0.69
    let lower = calibration.probability(of: 0.9)  // the same for a probability: 0.71
    return [probability, lower]
  }

  static func networkSettings(_ weights: StateDict) throws -> NetworkSettings {
    var settings = NetworkSettings()
    settings.size = 224
    settings.fill(from: try ModelMetadata(weights).network)
    return settings
  }

  static func onnxModel(_ network: any Module) throws {
    let model = try ONNXModel(tracing: .init(size: 64)) { images in
      [("logits", network(images, .inference))]
    }
    try model.write(to: URL(fileURLWithPath: "mine.onnx"))
  }

  static func onnxNetwork(_ file: URL, _ images: Tensor) throws -> [String: Tensor] {
    let network = try ONNXNetwork(StateDict.read(file))
    for input in network.inputs { print(input.name, input.shape ?? []) }
    let outputs = try network(["input": images])  // N, C, H, W, as the file has them
    return outputs
  }
}
