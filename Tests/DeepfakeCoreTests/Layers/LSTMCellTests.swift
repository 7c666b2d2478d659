import DeepfakeCore
import TestSupport
import Testing

@Suite struct LSTMCellTests {
  @Test func twoStepsAgreeWithPyTorch() throws {
    let golden = try #require(GoldenCase.read("gradients.json").first { $0.op == "lstm" })
    let name = try #require(golden.name)
    let inputs = golden.tensors(name)
    let store = ParameterStore()
    let cell = LSTMCell(store.root, 3, 4)
    #expect(store.parameters.map(\.key) == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"])
    #expect(
      store.parameters.map { $0.layout.fileShape($0.shape) } == [[16, 3], [16, 4], [16], [16]])
    for (parameter, value) in zip(store.parameters, inputs[3...]) {
      parameter.value = value.rank == 2 ? value.transposed([1, 0]) : value
    }
    func run(_ x: Tensor, _ state: LSTMCell.State) -> Tensor {
      let last = cell(x, cell(x, state))
      return .concatenated([last.hidden, last.cell], axis: 1)
    }
    let state = LSTMCell.State(hidden: inputs[1], cell: inputs[2])
    expectClose(
      run(inputs[0], state),
      Tensor(try #require(golden.values), shape: try #require(golden.shape)), tolerance: 1e-5)

    let weights = GoldenCase.tensor("\(name).g", [2, 8])
    let expected = try #require(golden.gradients)
    let byInput = valueAndGrad(at: Array(inputs[..<3])) {
      (run($0[0], LSTMCell.State(hidden: $0[1], cell: $0[2])) * weights).sum()
    }
    for index in 0..<3 {
      expectClose(
        byInput.gradients[index].scalars, try #require(expected[index]), tolerance: 2e-5,
        "input \(index)")
    }
    let byParameter = valueAndGrad { (run(inputs[0], state) * weights).sum() }
    for (index, parameter) in store.parameters.enumerated() {
      let gradient = try #require(byParameter.gradients[parameter])
      expectClose(
        (gradient.rank == 2 ? gradient.transposed([1, 0]) : gradient).scalars,
        try #require(expected[index + 3]), tolerance: 2e-5, parameter.key)
    }
  }

  @Test func theFirstStateIsZero() {
    let store = ParameterStore()
    let cell = LSTMCell(store.root / "lstm", 5, 3)
    store.initialize(seed: 1)
    let state = cell.initialState(batch: 2)
    #expect(state.hidden.shape == [2, 3] && state.hidden.scalars.allSatisfy { $0 == 0 })
    let next = cell(Tensor(repeating: 1, shape: [2, 5]), state)
    #expect(next.hidden.shape == [2, 3] && next.cell.shape == [2, 3])
    #expect(next.hidden.scalars[..<3] == next.hidden.scalars[3...])
  }
}
