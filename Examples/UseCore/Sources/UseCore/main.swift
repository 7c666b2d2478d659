// A small custom network, built, saved, loaded and packed for inference with DeepfakeCore alone.
import DeepfakeCore
import Foundation

/// Two convolutions, global average pooling and a classifier.
struct TinyNetwork: Module {
  let stem: Conv2d
  let norm: BatchNorm2d
  let head: Conv2d
  let classifier: Linear

  init(_ scope: Scope) {
    stem = Conv2d(scope / "stem", 3, 16, kernel: 3, stride: 2, padding: .symmetric(1), bias: false)
    norm = BatchNorm2d(scope / "norm", 16)
    head = Conv2d(scope / "head", 16, 32, kernel: 1)
    classifier = Linear(scope / "classifier", 32, 1)
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let features = head(norm(stem(x, mode), mode).silu(), mode).silu()
    return classifier(features.mean(axes: [1, 2]), mode)
  }
}

// Random weights from a seed. A parameter's key is the path of its layer's scopes.
let store = ParameterStore()
let network = TinyNetwork(store.root)
store.initialize(seed: 7)
print("parameters: \(store.parameters.map(\.key).joined(separator: ", "))")

var generator = SeededGenerator(seed: 1)
let images = Tensor.uniform(shape: [2, 32, 32, 3], in: -1..<1, using: &generator)
let logits = network(images)
print("logits: \(logits.scalars)")

// Saves the weights to a safetensors file and loads them into another instance. Every key and shape
// must match.
let file = FileManager.default.temporaryDirectory
  .appendingPathComponent("use-core-\(UUID().uuidString).safetensors")
defer { try? FileManager.default.removeItem(at: file) }
try store.stateDict().write(safetensors: file)
let otherStore = ParameterStore()
let other = TinyNetwork(otherStore.root)
try otherStore.load(try StateDict.read(file), strict: true)
precondition(other(images).scalars == logits.scalars, "the file changed the network")

// For inference, one kernel runs the convolution with the folded batch norm and the activation.
let fused = PackedConv2d(other.stem, norm: other.norm, activation: .silu)
let plain = network.norm(network.stem(images)).silu()
let error = zip(fused(images).scalars, plain.scalars).map { abs($0 - $1) }.max() ?? 0
precondition(error < 1e-5, "packing changed the result by \(error)")
print("packed and plain differ by \(error)")
