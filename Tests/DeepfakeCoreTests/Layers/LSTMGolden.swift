import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// A case of lstm/lstm.json (make_lstm.py): what `torch.nn.LSTM` computes, and its gradients.
struct LSTMGolden: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var inputs, hidden, layers: Int
  var isBidirectional, bias: Bool
  var batch, steps: Int
  var lengths: [Int]?
  var hasState: Bool
  var outputs: [ONNXRunGolden.Sample]
  var gradients: [String: ONNXRunGolden.Sample]

  var testDescription: String { name }

  static let all: [LSTMGolden] = {
    guard let data = try? Data(contentsOf: Paths.fixture("lstm/lstm.json")) else { return [] }
    return (try? JSONDecoder().decode([LSTMGolden].self, from: data)) ?? []
  }()

  /// The values that a key stands for, in [-scale / 2, scale / 2).
  func values(_ key: String, _ shape: [Int], scale: Double) -> [Float] {
    Formula.uniform("\(name).\(key)", count: shape.reduce(1, *)).map { Float(($0 - 0.5) * scale) }
  }

  func tensor(_ key: String, _ shape: [Int], scale: Double) -> Tensor {
    Tensor(values(key, shape, scale: scale), shape: shape)
  }

  /// The network with its parameters' values.
  func network() -> (lstm: LSTM, store: ParameterStore) {
    let store = ParameterStore()
    let lstm = LSTM(
      store.root, inputs, hidden, layers: layers, isBidirectional: isBidirectional, bias: bias)
    for parameter in store.parameters {
      let shape = parameter.layout.fileShape(parameter.shape)
      let value = tensor(parameter.key, shape, scale: 1.2)
      parameter.value = shape.count == 2 ? value.transposed([1, 0]) : value
    }
    return (lstm, store)
  }

  var x: Tensor { tensor("x", [batch, steps, inputs], scale: 4) }

  /// The state before the first step, if the case has one.
  var state: LSTM.State? {
    guard hasState else { return nil }
    let shape = [layers * (isBidirectional ? 2 : 1), batch, hidden]
    return LSTM.State(
      hidden: tensor("h", shape, scale: 2), cell: tensor("c", shape, scale: 2))
  }

  func check(
    _ output: LSTM.Output, tolerance: Float = 1e-5,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = [output.steps, output.final.hidden, output.final.cell]
    for (index, tensor) in found.enumerated() {
      let label = "\(name): " + ["outputs", "final outputs", "final cells"][index]
      expect(tensor, outputs[index], tolerance, label, sourceLocation: sourceLocation)
    }
  }

  /// Checks a gradient, relative to the largest of the elements that the fixture has.
  func check(
    gradient: Tensor, of key: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try #require(gradients[key], "\(name): \(key)", sourceLocation: sourceLocation)
    let size = expected.values.reduce(1) { max($0, abs($1)) }
    var relative = expected
    relative.values = expected.values.map { $0 / size }
    expect(
      gradient * (1 / size), relative, 1e-5, "\(name): \(key)", sourceLocation: sourceLocation)
  }

  private func expect(
    _ tensor: Tensor, _ expected: ONNXRunGolden.Sample, _ tolerance: Float, _ label: String,
    sourceLocation: SourceLocation
  ) {
    #expect(tensor.shape == expected.shape, "\(label)", sourceLocation: sourceLocation)
    let scalars = tensor.scalars
    expectClose(
      stride(from: 0, to: scalars.count, by: expected.step).map { scalars[$0] }, expected.values,
      tolerance: tolerance, label, sourceLocation: sourceLocation)
  }
}
