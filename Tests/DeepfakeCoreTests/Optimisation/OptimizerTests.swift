import DeepfakeCore
import TestSupport
import Testing

/// Optimisers step by step as PyTorch's (`Fixtures/make_optimisation.py`).
@Suite struct OptimizerTests {
  static let steps = 8

  static func make(_ name: String) throws -> any Optimizer {
    let decaying = [ParameterGroup].decayingAll(0.05)
    let bias = ParameterGroup(prefixes: ["layer.bias"], learningRateScale: 0.25)
    return switch name {
    case "sgd": SGD(learningRate: 0.1)
    case "sgd-decay": SGD(learningRate: 0.1, groups: decaying)
    case "sgd-momentum", "sgd-clipped": SGD(learningRate: 0.1, momentum: 0.9)
    case "sgd-dampening":
      SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.3, groups: decaying)
    case "sgd-nesterov": SGD(learningRate: 0.1, momentum: 0.9, nesterov: true, groups: decaying)
    case "adam", "adam-clipped": Adam(learningRate: 0.02)
    case "adam-decay":
      Adam(
        learningRate: 0.02, betas: AdamBetas(mean: 0.8, square: 0.95), epsilon: 1e-3,
        groups: .decayingAll(0.1))
    case "adamw": AdamW(learningRate: 0.02, groups: .decayingAll(0.3))
    case "adamw-groups": AdamW(learningRate: 0.02, groups: [bias] + .decayingWeights(0.3))
    case "sam-sgd": SharpnessAware(SGD(learningRate: 0.1, momentum: 0.9), radius: 0.3)
    case "sam-adam": SharpnessAware(Adam(learningRate: 0.02), radius: 0.05)
    default: throw UnknownName(name: name)
    }
  }

  struct UnknownName: Error { var name: String }

  @Test(
    arguments: [
      ("sgd", nil), ("sgd-decay", nil), ("sgd-momentum", nil), ("sgd-dampening", nil),
      ("sgd-nesterov", nil), ("sgd-clipped", 0.7), ("adam", nil), ("adam-clipped", 1.5),
      ("adam-decay", nil), ("adamw", nil), ("adamw-groups", nil), ("sam-sgd", nil),
      ("sam-adam", nil),
    ] as [(String, Float?)])
  func stepsArePyTorchs(_ name: String, _ clip: Float?) throws {
    let golden = try #require(try OptimisationGoldens.read().traces[name])
    var optimizer = try Self.make(name)
    let problem = Problem()
    var (values, norms): ([Float], [Float]) = ([], [])
    for t in 0..<Self.steps {
      optimizer.step(problem.parameters) {
        var gradients = problem.gradients(t)
        if let clip { norms.append(gradients.clip(toNorm: clip)) }
        return gradients
      }
      values += problem.values
    }
    expectClose(values, golden.values, tolerance: 1e-5, name)
    expectClose(norms, golden.norms, tolerance: 1e-5, "\(name), norms")
  }

  /// Continuing from a state gives the same bits as not having stopped.
  @Test(arguments: [
    "sgd", "sgd-momentum", "sgd-nesterov", "adam-decay", "adamw-groups", "sam-adam",
  ])
  func aStateContinues(_ name: String) throws {
    let (straight, broken) = (Problem(), Problem())
    var optimizer = try Self.make(name)
    for t in 0..<6 { optimizer.step(straight.parameters) { straight.gradients(t) } }

    var first = try Self.make(name)
    for t in 0..<3 { first.step(broken.parameters) { broken.gradients(t) } }
    let state = first.state
    // What is saved does not change when training goes on.
    let before = state.mapValues(\.scalars)
    first.step(Problem().parameters) { broken.gradients(3) }
    #expect(state.mapValues(\.scalars) == before)

    var second = try Self.make(name)
    try second.restore(state, for: broken.parameters, file: "state.safetensors")
    for t in 3..<6 { second.step(broken.parameters) { broken.gradients(t) } }
    #expect(broken.values == straight.values)
    #expect(second.state.keys == optimizer.state.keys)
    #expect(second.state.mapValues(\.scalars) == optimizer.state.mapValues(\.scalars))
  }

  /// Long vectors, whose blocks and rests differ, come out as one number after the other would.
  @Test(arguments: [1, 7, 8, 9, 32_768, 70_003]) func everyElementIsStepped(_ count: Int) throws {
    let parameter = ParameterStore().root.parameter(
      "w", shape: [count], role: .weight, initializer: .constant(0))
    let start = Formula.uniform("start", count: count).map { Float($0) }
    parameter.value = Tensor(start, shape: [count])
    let slopes = Formula.uniform("slope", count: count).map { Float($0 - 0.5) }
    var gradients = Gradients()
    gradients[parameter] = Tensor(slopes, shape: [count])
    var adam = Adam(learningRate: 0.1, groups: .decayingAll(0.5))
    adam.step([parameter], gradients)
    adam.step([parameter], gradients)
    var expected = start.map(Double.init)
    var (mean, square) = (
      [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
    )
    for step in 1...2 {
      let corrections: (Double, Double) = step == 1 ? (0.1, 0.001) : (0.19, 0.001999)
      for i in expected.indices {
        let slope = Double(slopes[i]) + 0.5 * expected[i]
        mean[i] = 0.9 * mean[i] + 0.1 * slope
        square[i] = 0.999 * square[i] + 0.001 * slope * slope
        let root = (square[i] / corrections.1).squareRoot()
        expected[i] -= 0.1 * mean[i] / corrections.0 / (root + 1e-8)
      }
    }
    expectClose(parameter.value.scalars, expected.map { Float($0) }, tolerance: 1e-5, "\(count)")
  }

  @Test func earlierLevelsLearnSlower() {
    let keys = [
      "conv_stem.weight", "bn1.weight", "bn1.bias", "blocks.0.0.conv.weight", "blocks.0.1.bn1.bias",
      "blocks.1.0.conv.weight", "conv_head.weight", "bn2.bias", "classifier.weight",
      "classifier.bias",
    ]
    let store = ParameterStore()
    let parameters = keys.map { key -> Parameter in
      let parts = key.split(separator: ".")
      let scope = parts.dropLast().reduce(store.root) { $0 / String($1) }
      return scope.parameter(
        String(parts[parts.count - 1]), shape: [2],
        role: key.hasSuffix("weight") && !key.hasPrefix("bn") ? .weight : .affine,
        initializer: .constant(0))
    }
    store.initialize(seed: 1)
    var optimizer = SGD(
      learningRate: 1, groups: .layerwise(rate: 0.5, weightDecay: 0.25, over: parameters))
    func step(gradient: Float) {
      var gradients = Gradients()
      for parameter in parameters {
        gradients[parameter] = Tensor(repeating: gradient, shape: [2])
      }
      optimizer.step(parameters, gradients)
    }
    step(gradient: 1)
    // The stem with its norm, two stages, the head with its norm, the classifier: five levels.
    expectClose(
      parameters.map { $0.value.scalars[0] },
      [-0.0625, -0.0625, -0.0625, -0.125, -0.125, -0.25, -0.5, -0.5, -1, -1], tolerance: 1e-7)
    // What decays now: weights, by the decay times the rate times their value.
    step(gradient: 0)
    expectClose(
      [parameters[0], parameters[1], parameters[8], parameters[9]].map { $0.value.scalars[0] },
      [-0.0625 * (1 - 0.0625 * 0.25), -0.0625, -0.75, -1], tolerance: 1e-7)
  }

  @Test func parametersWithoutGradientStay() throws {
    let problem = Problem()
    let before = problem.values
    var gradients = problem.gradients(0)
    gradients[problem.parameters[1]] = nil
    var adam = Adam()
    adam.step(problem.parameters, gradients)
    #expect(problem.values.suffix(4) == before.suffix(4))
    #expect(problem.values.prefix(15) != before.prefix(15))
    #expect(adam.state.keys.sorted() == ["m", "steps", "v"].map { "adam.\($0).layer.weight" })
  }

  @Test func updatesAreInPlace() throws {
    let problem = Problem()
    let parameter = problem.parameters[0]
    var adam = Adam()
    adam.step(problem.parameters, problem.gradients(0))
    let before = parameter.value.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) }
    adam.step(problem.parameters, problem.gradients(1))
    #expect(parameter.value.withUnsafeBuffer { UInt(bitPattern: $0.baseAddress) } == before)
    // Someone who holds the old value keeps it.
    let held = parameter.value
    let heldScalars = held.scalars
    adam.step(problem.parameters, problem.gradients(2))
    #expect(held.scalars == heldScalars)
    #expect(parameter.value.scalars != heldScalars)
  }

  @Test func aThrowingComputationLeavesTheParameters() throws {
    struct Stop: Error {}
    let problem = Problem()
    let before = problem.values
    var optimizer = SharpnessAware(Adam())
    var calls = 0
    #expect(throws: Stop.self) {
      try optimizer.step(problem.parameters) {
        calls += 1
        if calls == 2 {
          #expect(problem.values != before)
          throw Stop()
        }
        return problem.gradients(0)
      }
    }
    #expect(calls == 2)
    #expect(problem.values == before)
  }

  @Test func statesThatDoNotFitAreRefused() throws {
    let problem = Problem()
    var adam = Adam()
    adam.step(problem.parameters, problem.gradients(0))
    let good = adam.state
    let values = good.mapValues(\.scalars)
    func refused(
      _ expected: OptimizerStateError, sourceLocation: SourceLocation = #_sourceLocation,
      _ change: (inout [String: Tensor]) -> Void
    ) {
      var state = good
      change(&state)
      #expect(throws: expected, sourceLocation: sourceLocation) {
        try adam.restore(state, for: problem.parameters, file: "f")
      }
      #expect(adam.state.mapValues(\.scalars) == values, sourceLocation: sourceLocation)
    }
    refused(.unexpected(file: "f", name: "adam.m.other")) {
      $0["adam.m.other"] = Tensor(zeros: [3])
    }
    refused(.missing(file: "f", name: "adam.v.layer.bias")) { $0["adam.v.layer.bias"] = nil }
    refused(.missing(file: "f", name: "adam.steps.layer.bias")) {
      $0["adam.steps.layer.bias"] = nil
    }
    refused(
      .invalid(file: "f", name: "adam.m.layer.bias", reason: "has shape [5], not [4]")
    ) { $0["adam.m.layer.bias"] = Tensor(zeros: [5]) }
    for numbers: [Float] in [[1], [0, -1], [0, 0.5], [.nan, 0], [0, .infinity], [0, 3e9]] {
      refused(
        .invalid(file: "f", name: "adam.steps.layer.bias", reason: "is not a number of steps")
      ) { $0["adam.steps.layer.bias"] = Tensor(numbers, shape: [numbers.count]) }
    }
    var sgd = SGD(learningRate: 1, momentum: 0.5)
    #expect(throws: OptimizerStateError.self) {
      try sgd.restore(good, for: problem.parameters, file: "f")
    }
    #expect(
      OptimizerStateError.missing(file: "f", name: "x").description
        == "f: lacks x. It was saved with other settings. Use those settings, or start a new "
        + "training.")
  }

  @Test func gradientsAddUpAndScale() throws {
    let problem = Problem()
    var sum = Gradients()
    for t in 0..<3 { sum.add(problem.gradients(t)) }
    sum.scale(by: 1 / 3)
    for parameter in problem.parameters {
      let parts = try (0..<3).map { try #require(problem.gradients($0)[parameter]).scalars }
      let expected = parts[0].indices.map { (parts[0][$0] + parts[1][$0] + parts[2][$0]) / 3 }
      expectClose(try #require(sum[parameter]).scalars, expected, tolerance: 1e-6)
    }
  }

  @Test func aNormCountsEveryElement() throws {
    let parameter = ParameterStore().root.parameter(
      "w", shape: [100_003], role: .weight, initializer: .constant(0))
    let values = Formula.uniform("norm", count: 100_003).map { Float($0) }
    var gradients = Gradients()
    gradients[parameter] = Tensor(values, shape: [100_003])
    let expected = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    expectClose([gradients.norm], [Float(expected)], tolerance: 1e-6)
    gradients[parameter] = Tensor(repeating: .nan, shape: [100_003])
    #expect(gradients.clip(toNorm: 1).isNaN)
  }
}
