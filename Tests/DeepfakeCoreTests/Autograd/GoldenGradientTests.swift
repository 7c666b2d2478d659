import DeepfakeCore
import TestSupport
import Testing

@Suite struct GoldenGradientTests {
  /// The operations of gradients.json.
  static let operations: [String] = {
    Set(((try? GoldenCase.read("gradients.json")) ?? []).map(\.op)).sorted()
  }()

  @Test func theFixtureIsThere() {
    #expect(Self.operations.count == 50)
  }

  @Test(arguments: operations)
  func agreesWithPyTorch(_ operation: String) throws {
    for golden in try GoldenCase.read("gradients.json") where golden.op == operation {
      let name = try #require(golden.name)
      let label = "\(name), \(operation) of \(golden.inputs), \(golden.settings)"
      let inputs = golden.tensors(name)
      let output = try #require(golden.evaluate(inputs))
      if let shape = golden.shape, let values = golden.values {
        expectClose(output, Tensor(values, shape: shape), tolerance: 2e-5, label)
      }
      let weights = GoldenCase.tensor("\(name).g", output.shape)
      let found = try valueAndGrad(at: inputs) {
        (try #require(golden.evaluate($0)) * weights).sum()
      }
      let expected = try #require(golden.gradients)
      #expect(expected.count == inputs.count)
      for (index, values) in expected.enumerated() {
        guard let values else { continue }
        expectClose(
          found.gradients[index], Tensor(values, shape: inputs[index].shape), tolerance: 5e-5,
          "input \(index) of \(label)")
      }
    }
  }
}
