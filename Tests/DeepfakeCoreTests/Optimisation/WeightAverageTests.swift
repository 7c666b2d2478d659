import DeepfakeCore
import TestSupport
import Testing

/// Averages of weights as PyTorch's (`Fixtures/make_optimisation.py`).
@Suite struct WeightAverageTests {
  func trace<Average: WeightAverage>(_ average: Average) -> (
    values: [Float], last: Average, Problem
  ) {
    var (average, values) = (average, [Float]())
    let problem = Problem()
    var optimizer = SGD(learningRate: 0.1)
    for t in 0..<OptimizerTests.steps {
      optimizer.step(problem.parameters, problem.gradients(t))
      average.update(problem.parameters)
      values += problem.parameters.flatMap { average.averages[$0]?.scalars ?? [] }
    }
    return (values, average, problem)
  }

  @Test func meansArePyTorchs() throws {
    let golden = try OptimisationGoldens.read().traces
    let ema = try #require(golden["ema"])
    expectClose(
      trace(ExponentialMovingAverage(decay: 0.8)).values, ema.values, tolerance: 1e-5, "ema")
    let swa = try #require(golden["swa"])
    expectClose(trace(WeightAveraging()).values, swa.values, tolerance: 1e-5, "swa")
  }

  @Test func warmUpForgetsTheStart() throws {
    let slow = trace(ExponentialMovingAverage(decay: 0.999)).values.suffix(19)
    let warm = trace(ExponentialMovingAverage(decay: 0.999, warmsUp: true)).values.suffix(19)
    // After n updates 1 - (1 + n) / (10 + n) of the way: by hand for the first element.
    var expected: Float = 0
    let plain = try #require(try OptimisationGoldens.read().traces["sgd"]).values
    for t in 0..<OptimizerTests.steps {
      let part: Float = t == 0 ? 1 : 1 - Float(1 + t) / Float(10 + t)
      expected += (plain[t * 19] - expected) * part
    }
    expectClose([try #require(warm.first)], [expected], tolerance: 1e-5)
    #expect(abs(expected - (try #require(slow.first))) > 0.01)
  }

  @Test func averagesStandInAndGo() throws {
    let (_, average, problem) = trace(WeightAveraging())
    let present = problem.values
    let means = problem.parameters.flatMap { average.averages[$0]?.scalars ?? [] }
    #expect(means != present)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try average.withAverages(in: problem.parameters) {
        #expect(problem.values == means)
        throw Stop()
      }
    }
    #expect(problem.values == present)
    average.apply(to: problem.parameters)
    #expect(problem.values == means)
  }

  @Test func aStateContinues() throws {
    let (_, average, problem) = trace(ExponentialMovingAverage(decay: 0.9))
    var (straight, resumed) = (average, ExponentialMovingAverage(decay: 0.9))
    try resumed.averages.restore(average.averages.state, for: problem.parameters, file: "f")
    problem.parameters[0].value = Tensor(repeating: 3, shape: [3, 5])
    straight.update(problem.parameters)
    resumed.update(problem.parameters)
    #expect(
      straight.averages.state.mapValues(\.scalars) == resumed.averages.state.mapValues(\.scalars))

    let good = average.averages.state
    for (name, value) in [
      ("average.layer.bias", nil), ("average.layer.bias", Tensor(zeros: [2])),
      ("average-updates", nil), ("average-updates", Tensor(zeros: [1])),
      ("average.other", Tensor(zeros: [2])),
    ] as [(String, Tensor?)] {
      var state = good
      state[name] = value
      #expect(throws: OptimizerStateError.self, "\(name)") {
        try resumed.averages.restore(state, for: problem.parameters, file: "f")
      }
    }
  }

  /// The network of the script: convolution, norm, SiLU, convolution, norm.
  struct Small: Module {
    let store = ParameterStore()
    let first, second: Conv2d
    let norm, lastNorm: BatchNorm2d

    init() {
      let root = store.root
      first = Conv2d(root / "0", 3, 4, kernel: 1, bias: false)
      norm = BatchNorm2d(root / "1", 4)
      second = Conv2d(root / "3", 4, 2, kernel: 1, bias: false)
      lastNorm = BatchNorm2d(root / "4", 2)
      for parameter in store.parameters {
        let shape = parameter.layout.fileShape(parameter.shape)
        let u = Formula.uniform(parameter.key, count: shape.reduce(1, *))
        let values = Tensor(u.map { Float(2 * $0 - 0.5) }, shape: shape)
        parameter.value =
          parameter.layout == .convolution
          ? values.reshaped([shape[0], shape[1]]).transposed([1, 0]).reshaped(parameter.shape)
          : values
      }
    }

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
      lastNorm(second(norm(first(x, mode), mode).silu(), mode), mode)
    }
  }

  @Test func statisticsAreMeasuredAnew() throws {
    let network = Small()
    let batches = [5, 5, 2].enumerated().map { i, images in
      Formula.image("statistics:\(i)", batch: images, height: 4, width: 4)
    }
    recomputeStatistics(of: network, network.store.parameters, over: batches)
    let golden = try OptimisationGoldens.read().statistics
    #expect(golden.count == 4)
    for (key, expected) in golden {
      let found = try #require(network.store[key]).value
      expectClose(found.scalars, expected, tolerance: 1e-5, key)
    }
  }
}
