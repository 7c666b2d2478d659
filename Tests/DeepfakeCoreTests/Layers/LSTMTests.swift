import DeepfakeCore
import Foundation
import TestSupport
import Testing

@Suite struct LSTMTests {
  /// The cases whose parameters come from their names.
  static let golden = LSTMGolden.all.filter { $0.name != "state" }

  @Test func theFixtureIsThere() {
    #expect(Self.golden.count == 16 && LSTMGolden.all.count == 17)
  }

  @Test(arguments: golden)
  func outputsAgreeWithPyTorch(_ golden: LSTMGolden) {
    let (lstm, store) = golden.network()
    golden.check(lstm(golden.x, lengths: golden.lengths, from: golden.state))
    let packed = lstm.packed()
    #expect(store.parameters.allSatisfy { !$0.isLoaded })
    golden.check(packed(golden.x, lengths: golden.lengths, from: golden.state))
  }

  @Test(arguments: golden)
  func gradientsAgreeWithPyTorch(_ golden: LSTMGolden) throws {
    let (lstm, store) = golden.network()
    func loss(_ x: Tensor, _ state: LSTM.State?) -> Tensor {
      let output = lstm(x, lengths: golden.lengths, from: state)
      let found = [output.steps, output.final.hidden, output.final.cell]
      return found.enumerated().reduce(Tensor(scalar: 0)) {
        $0 + ($1.element * golden.tensor("g\($1.offset)", $1.element.shape, scale: 4)).sum()
      }
    }
    let inputs = [golden.x] + (golden.state.map { [$0.hidden, $0.cell] } ?? [])
    let byInput = valueAndGrad(at: inputs) { inputs in
      loss(inputs[0], golden.hasState ? LSTM.State(hidden: inputs[1], cell: inputs[2]) : nil)
    }
    for (key, gradient) in zip(["x", "h", "c"], byInput.gradients) {
      try golden.check(gradient: gradient, of: key)
    }
    let byParameter = valueAndGrad { loss(golden.x, golden.state) }
    #expect(store.parameters.count == golden.gradients.count - inputs.count)
    for parameter in store.parameters {
      let gradient = try #require(byParameter.gradients[parameter])
      try golden.check(
        gradient: gradient.rank == 2 ? gradient.transposed([1, 0]) : gradient, of: parameter.key)
    }
  }

  @Test func keysShapesAndFirstValuesArePyTorchs() throws {
    let store = ParameterStore()
    _ = LSTM(store.root / "head" / "lstm", 3, 4, layers: 2, isBidirectional: true)
    let levels = [("l0", 3), ("l0_reverse", 3), ("l1", 8), ("l1_reverse", 8)]
    let expected = levels.flatMap { suffix, inputs in
      [
        "weight_ih_\(suffix) [16, \(inputs)]", "weight_hh_\(suffix) [16, 4]",
        "bias_ih_\(suffix) [16]", "bias_hh_\(suffix) [16]",
      ]
    }
    #expect(
      store.parameters.map { "\($0.key) \($0.layout.fileShape($0.shape))" }
        == expected.map { "head.lstm." + $0 })
    #expect(store["head.lstm.weight_hh_l1"]?.role == .weight)
    #expect(store["head.lstm.bias_hh_l1"]?.role == .affine)
    store.initialize(seed: 1)
    let values = store.parameters.flatMap { $0.value.scalars.map(abs) }
    let largest = try #require(values.max())
    #expect(largest <= 0.5 && largest > 0.49)
    #expect(abs(values.reduce(0, +) / Float(values.count) - 0.25) < 0.02)
    let without = ParameterStore()
    _ = LSTM(without.root, 3, 4, bias: false)
    #expect(without.parameters.map(\.key) == ["weight_ih_l0", "weight_hh_l0"])
  }

  @Test(arguments: ["state.pth", "state.safetensors"])
  func aStateDictOfPyTorchIsLoaded(_ file: String) throws {
    let golden = try #require(LSTMGolden.all.first { $0.name == "state" })
    let store = ParameterStore()
    let lstm = LSTM(store.root, 3, 4, layers: 2, isBidirectional: true)
    try store.load(StateDict.read(Paths.fixture("lstm/\(file)")))
    golden.check(lstm(golden.x, lengths: nil))
    // Packed straight from the file.
    try store.load(StateDict.read(Paths.fixture("lstm/\(file)")))
    golden.check(lstm.packed()(golden.x, lengths: nil))
  }

  /// What stands in steps that a sequence does not have must not matter, whatever it is.
  @Test func stepsPastTheLengthDoNotMatter() throws {
    let golden = try #require(Self.golden.first { $0.name == "packed_deep" })
    let (lstm, _) = golden.network()
    let lengths = try #require(golden.lengths)
    func run(_ excess: Float) -> (LSTM.Output, Gradients, Tensor) {
      var x = golden.x
      x.withUnsafeMutableBuffer { x in
        for (sequence, length) in lengths.enumerated() {
          let row = sequence * golden.steps
          x[(row + length) * golden.inputs..<(row + golden.steps) * golden.inputs]
            .update(repeating: excess)
        }
      }
      let input = x
      let gradients = valueAndGrad { lstm(input, lengths: lengths).final.hidden.sum() }.gradients
      let ofInput = valueAndGrad(at: [x]) { lstm($0[0], lengths: lengths).steps.sum() }
      return (lstm(x, lengths: lengths), gradients, ofInput.gradients[0])
    }
    let (plain, nan) = (run(0), run(.nan))
    #expect(nan.0.steps.scalars == plain.0.steps.scalars)
    #expect(nan.0.final.cell.scalars == plain.0.final.cell.scalars)
    for parameter in plain.1.parameters {
      #expect(nan.1[parameter]?.scalars == plain.1[parameter]?.scalars, "\(parameter.key)")
    }
    #expect(nan.2.scalars == plain.2.scalars)
    for (sequence, length) in lengths.enumerated() {
      for step in length..<golden.steps {
        #expect(plain.0.steps[sequence, step, 0] == 0 && plain.2[sequence, step, 0] == 0)
      }
    }
    // A sequence gives the same alone.
    let alone = lstm(golden.x.slice(axis: 0, 1..<2).slice(axis: 1, 0..<lengths[1]), lengths: nil)
    expectClose(
      alone.steps, plain.0.steps.slice(axis: 0, 1..<2).slice(axis: 1, 0..<lengths[1]),
      tolerance: 1e-6)
    expectClose(
      alone.final.hidden, plain.0.final.hidden.slice(axis: 1, 1..<2), tolerance: 1e-6)
  }

  /// A call with one step from the state of the call before is a cell.
  @Test func stepsOneByOneAreTheSame() throws {
    let golden = try #require(Self.golden.first { $0.name == "deep" })
    let lstm = golden.network().lstm
    var state = golden.state
    for step in 0..<golden.steps {
      let output = lstm(golden.x.slice(axis: 1, step..<step + 1), lengths: nil, from: state)
      state = output.final
    }
    let whole = lstm(golden.x, lengths: nil, from: golden.state).final
    expectClose(try #require(state).hidden, whole.hidden, tolerance: 1e-6)
    expectClose(try #require(state).cell, whole.cell, tolerance: 1e-6)
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let store = ParameterStore()
    let lstm = LSTM(store.root, 40, 96, layers: 2, isBidirectional: true)
    store.initialize(seed: 3)
    var generator = SeededGenerator(seed: 4)
    let x = Tensor.uniform(shape: [120, 3, 40], in: -1..<1, using: &generator)
    func run(_ threads: Int) -> [[Float]] {
      let before = Parallel.threadCount
      defer { Parallel.threadCount = before }
      Parallel.threadCount = threads
      let found = valueAndGrad { lstm(x, lengths: nil).steps.sum() }.gradients
      return [lstm(x, lengths: nil).steps.scalars]
        + store.parameters.map { found[$0]?.scalars ?? [] }
    }
    #expect(run(1) == run(3))
  }

  @Test func theModuleGivesTheOutputsOfTheSteps() throws {
    let golden = try #require(Self.golden.first { $0.name == "both" })
    let (lstm, _) = golden.network()
    let steps = lstm(golden.x, lengths: nil).steps
    let module: any Module = lstm
    #expect(module(golden.x).scalars == steps.scalars)
    expectClose(module.forInference()(golden.x), steps, tolerance: 1e-6)
  }
}

/// Dropout between the levels of an LSTM.
@Suite struct LSTMDropoutTests {
  private func network(_ layers: Int, dropout: Float) -> (lstm: LSTM, store: ParameterStore) {
    let store = ParameterStore()
    let lstm = LSTM(store.root / "lstm", 6, 32, layers: layers, dropout: dropout)
    store.initialize(seed: 5)
    return (lstm, store)
  }

  private var x: Tensor {
    var generator = SeededGenerator(seed: 6)
    return .uniform(shape: [4, 5, 6], in: -1..<1, using: &generator)
  }

  private func training(_ step: Int) -> Mode { .training(TrainingContext(seed: 7, step: step)) }

  @Test func onlyLevelsBeforeTheLastAreDropped() {
    let plain = network(1, dropout: 0).lstm(x, .inference).scalars
    // A single level has nothing to drop.
    #expect(network(1, dropout: 0.5).lstm(x, training(1)).scalars == plain)
    let (deep, store) = network(2, dropout: 0.5)
    let whole = deep(x, lengths: nil, training(1))
    #expect(whole.steps.scalars == deep(x, lengths: nil, training(1)).steps.scalars)
    #expect(whole.steps.scalars != deep(x, lengths: nil, training(2)).steps.scalars)
    // The first level's own state is not dropped, and no output of the last one is.
    let kept = deep(x, lengths: nil)
    #expect(whole.final.hidden.scalars[..<128] == kept.final.hidden.scalars[..<128])
    #expect(whole.steps.scalars.allSatisfy { $0 != 0 })
    // Inference does not know of it.
    let same = network(2, dropout: 0)
    #expect(kept.steps.scalars == same.lstm(x, lengths: nil, training(1)).steps.scalars)
    #expect(store.parameters.map(\.key) == same.store.parameters.map(\.key))
  }

  /// A second level whose candidate adds up the first one's outputs shows how many were dropped.
  @Test func aQuarterOfTheOutputsIsDroppedAndTheRestScaled() throws {
    let (lstm, store) = network(2, dropout: 0.25)
    for parameter in store.parameters { parameter.value = Tensor(zeros: parameter.shape) }
    // Gates of the first level: i and o open, f shut; the candidate is tanh(1).
    func bias(_ gates: [Float]) -> Tensor {
      Tensor(gates.flatMap { [Float](repeating: $0, count: 32) }, shape: [128])
    }
    try #require(store["lstm.bias_ih_l0"]).value = bias([50, -50, 1, 50])
    try #require(store["lstm.bias_ih_l1"]).value = bias([50, -50, 0, 50])
    // Output u of the second level: tanh(tanh(h / 100)), where h is output u of the first.
    let weight = Tensor(shape: [32, 128]) { weight in
      for i in weight.indices { weight[i] = i % 128 == 64 + i / 128 ? 0.01 : 0 }
    }
    try #require(store["lstm.weight_ih_l1"]).value = weight
    let h = tanh(tanh(Float(1)))
    let expected = tanh(tanh(0.01 * h / 0.75))
    var (dropped, count) = (0, 0)
    for step in 0..<20 {
      for value in lstm(x, training(step)).scalars {
        count += 1
        if abs(value) < 1e-9 { dropped += 1 } else { #expect(abs(value - expected) < 1e-6) }
      }
    }
    #expect(abs(Double(dropped) / Double(count) - 0.25) < 0.02)
  }
}

/// Calls that are programmer errors.
@Suite struct LSTMPreconditionTests {
  @Test func misshapenInputsStopTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = LSTM(ParameterStore().root, 0, 4)
    }
    await #expect(processExitsWith: .failure) {
      _ = lstm()(Tensor(zeros: [2, 5, 4]), lengths: nil)
    }
    await #expect(processExitsWith: .failure) {
      _ = lstm()(Tensor(zeros: [2, 3]), lengths: nil)
    }
    await #expect(processExitsWith: .failure) {
      _ = lstm()(Tensor(zeros: [2, 5, 3]), lengths: [5, 6])
    }
    await #expect(processExitsWith: .failure) {
      _ = lstm()(Tensor(zeros: [2, 5, 3]), lengths: [5, 0])
    }
    await #expect(processExitsWith: .failure) {
      let state = LSTM.State(hidden: Tensor(zeros: [1, 3, 4]), cell: Tensor(zeros: [1, 2, 4]))
      _ = lstm()(Tensor(zeros: [2, 5, 3]), lengths: nil, from: state)
    }
    await #expect(processExitsWith: .failure) {
      _ = LSTMSequence(hasBias: false)(
        Tensor(zeros: [2, 5, 3]), Tensor(zeros: [3, 16]), Tensor(zeros: [5, 16]))
    }
  }

  @Test func fittingInputsDoNot() async {
    await #expect(processExitsWith: .success) {
      _ = lstm()(Tensor(zeros: [2, 5, 3]), lengths: [5, 1])
    }
  }
}

private func lstm() -> LSTM {
  let store = ParameterStore()
  let lstm = LSTM(store.root, 3, 4)
  store.initialize(seed: 1)
  return lstm
}
