import Classifiers
import DeepfakeCore
import Foundation
import TestSupport

/// A training of EfficientNet-B0 by PyTorch: an entry of `Fixtures/training.json`.
struct TrainingGolden: Decodable {
  /// A gradient by one parameter, in PyTorch's layout.
  struct Gradient: Decodable {
    var norm: Double
    var some: [Float]
    var projections: [Double]
  }

  var name: String
  var groups: Int
  var rate: Float
  var losses: [Float]
  var gradients: [String: Gradient]?
  var statistics: [String: [Float]]?

  static func read() throws -> [TrainingGolden] {
    try JSONDecoder().decode(
      [TrainingGolden].self, from: Data(contentsOf: Paths.fixture("training.json")))
  }
}

/// The same training here: the formula's weights and images, no dropout, labels smoothed by 0.1.
struct GoldenTraining {
  let network: ClassifierNetwork
  let images: Tensor
  let labels: Tensor
  private var adam: Adam
  private var step = 0

  init(_ golden: TrainingGolden) throws {
    let norm = golden.groups > 0 ? Norm.group(groups: golden.groups, epsilon: 1e-5) : .batch
    network = ClassifierNetwork(
      EfficientNetConfiguration(.b0, norm: norm, dropout: 0, stochasticDepth: 0))
    let settings = ClassifierSettings(.efficientNetB0, norm: norm)
    try network.loadWeights(
      formulaState(settings, varianceScale: 0.5), scheme: .timm,
      architecture: settings.architecture)
    images = Formula.image("training:images", batch: 8, height: 64, width: 64)
    labels = Tensor((0..<8).map { Float($0 % 2) }, shape: [8, 1])
    adam = Adam(learningRate: golden.rate)
  }

  /// What one step found.
  struct Step {
    var loss: Float
    var gradients: Gradients
    /// The running statistics after it.
    var statistics: [String: Tensor]
  }

  mutating func takeStep() -> Step {
    let context = TrainingContext(seed: 0, step: step)
    let (loss, gradients) = valueAndGrad { [network, images, labels] in
      network(images, .training(context)).binaryCrossEntropy(labels, smoothing: 0.1)
    }
    step += 1
    adam.step(network.store.parameters, gradients)
    for (key, value) in context.recorded { network.store[key]?.value = value }
    return Step(loss: loss, gradients: gradients, statistics: context.recorded)
  }
}

extension Parameter {
  /// The elements of a tensor of this parameter's shape in the order of PyTorch's files.
  func fileOrder(_ tensor: Tensor) -> [Float] {
    switch layout {
    case .unchanged: tensor.scalars
    case .linear: tensor.transposed([1, 0]).scalars
    case .convolution: tensor.transposed([3, 2, 0, 1]).scalars
    }
  }
}

/// Every n-th element, `count` at most, as the script takes them.
func stepped(_ values: [Float], _ count: Int) -> [Float] {
  stride(from: 0, to: values.count, by: max(1, values.count / count)).prefix(count).map {
    values[$0]
  }
}

/// The script's eight projections on random signs.
func projections(_ key: String, _ values: [Float]) -> [Double] {
  let bits = Formula.uniform("signs:\(key)", count: values.count).map { Int($0 * 0x1p24) }
  return (0..<8).map { bit in
    zip(bits, values).reduce(0.0) { sum, pair in
      sum + (pair.0 >> bit & 1 == 1 ? Double(pair.1) : -Double(pair.1))
    }
  }
}
