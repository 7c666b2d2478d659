import DeepfakeCore
import TestSupport
import Testing

@Suite struct CheckpointedTests {
  /// A residual block with dropout and both norms.
  private struct Block: Module {
    let expand, project: Conv2d
    let batchNorm: BatchNorm2d
    let groupNorm: GroupNorm
    let dropout: Dropout
    let depth: StochasticDepth

    init(_ scope: Scope) {
      expand = Conv2d(scope / "expand", 4, 8, kernel: 3, padding: .symmetric(1))
      batchNorm = BatchNorm2d(scope / "bn", 8)
      project = Conv2d(scope / "project", 8, 4, kernel: 1)
      groupNorm = GroupNorm(scope / "gn", 4, groups: 2)
      dropout = Dropout(scope / "drop", 0.3)
      depth = StochasticDepth(scope / "depth", 0.3)
    }

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
      let y = dropout(batchNorm(expand(x, mode), mode).silu(), mode)
      return x + depth(groupNorm(project(y, mode), mode).relu(), mode)
    }
  }

  /// Two blocks in a row, each of which may be checkpointed, or both.
  private struct Pair: Module {
    let first, second: any Module

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { second(first(x, mode), mode) }
  }

  private struct Chain: Module {
    let steps: Int
    let kept: KeptTensors

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
      (0..<steps).reduce(x) { x, _ in KeptTensors.Step(kept: kept)(x) }
    }
  }

  @Test func gradientsAreThoseOfThePlainBlocksToTheBit() throws {
    let store = ParameterStore()
    let (a, b) = (Block(store.root / "a"), Block(store.root / "b"))
    store.initialize(seed: 3)
    let x = Formula.uniform("checkpointed", count: 3 * 5 * 6 * 4).map { Float($0 - 0.5) }
    let input = Tensor(x, shape: [3, 5, 6, 4])

    func run(_ network: some Module) throws -> (bits: [[UInt32]], statistics: [String: [Float]]) {
      let context = TrainingContext(seed: 5, step: 2)
      let byParameter = valueAndGrad {
        let y = network(input, .training(context))
        return (y * y).sum()
      }
      let byInput = valueAndGrad(at: [input]) {
        let y = network($0[0], .training(context))
        return (y * y).sum()
      }
      #expect(byParameter.value == byInput.value)
      let learning = store.parameters.filter { $0.role != .statistic }
      let gradients = try learning.map { try #require(byParameter.gradients[$0]) }
      #expect(gradients.allSatisfy { $0.scalars.contains { $0 != 0 } })
      let bits = (gradients + byInput.gradients).map { $0.scalars.map(\.bitPattern) }
      return (bits, context.recorded.mapValues(\.scalars))
    }

    let plain = try run(Pair(first: a, second: b))
    let networks: [any Module] = [
      Pair(first: Checkpointed(a), second: Checkpointed(b)),
      Checkpointed(Pair(first: a, second: b)),
      Checkpointed(Pair(first: a, second: Checkpointed(b))),
    ]
    for network in networks {
      let checkpointed = try run(network)
      #expect(checkpointed.bits == plain.bits)
      #expect(checkpointed.statistics == plain.statistics)
    }
    #expect(plain.statistics.count == 4)
  }

  @Test func onlyOneBlockIsKeptAtOnce() {
    for (checkpointed, most) in [(false, 20), (true, 5)] {
      let kept = KeptTensors()
      let block = Chain(steps: 5, kept: kept)
      let result = valueAndGrad(at: [Tensor([1], shape: [1])]) { tensors in
        (0..<4).reduce(tensors[0]) { x, _ in checkpointed ? Checkpointed(block)(x) : block(x) }
      }
      #expect(result.value == 21 && result.gradients[0].item == 1)
      #expect(kept.most == most)
      #expect(kept.alive == 0)
    }
  }

  @Test func frozenParametersStayWithoutGradient() {
    let store = ParameterStore()
    let block = Block(store.root)
    store.initialize(seed: 3)
    let x = Tensor(repeating: 0.5, shape: [1, 3, 3, 4])
    let mode = Mode.training(TrainingContext(seed: 1, step: 1))
    let result = valueAndGrad(of: [block.project.weight]) {
      Checkpointed(block)(x, mode).sum()
    }
    #expect(result.gradients.parameters.map(\.key) == ["project.weight"])
  }
}
