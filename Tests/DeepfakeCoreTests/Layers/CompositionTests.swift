import DeepfakeCore
import TestSupport
import Testing

/// Layers that are put together from others, and their form for inference.
@Suite struct CompositionTests {
  private struct Material {
    let store = ParameterStore()
    let chain: [any Module]
    let branches: Branches

    init() {
      let root = store.root
      let norm = BatchNorm2d(root / "norm", 8)
      chain = [
        Conv2d(root / "conv", 5, 8, kernel: 3, padding: .symmetric(1)), norm,
        FunctionLayer { $0.relu() }, Conv2d(root / "last", 8, 5, kernel: 1),
      ]
      branches = Branches([
        [Conv2d(root / "left", 5, 3, kernel: 1)],
        [
          Conv2d(root / "right" / 0, 5, 4, kernel: 1), FunctionLayer { $0.relu() },
          Conv2d(root / "right" / 1, 4, 6, kernel: 3, padding: .symmetric(2), dilation: 2),
        ],
      ])
      store.initialize(seed: 4)
      norm.runningMean.value = tensor("mean", shape: [8])
      norm.runningVariance.value = tensor("variance", shape: [8]) * 0.5 + 1
    }
  }

  private let x = tensor("x", shape: [2, 9, 7, 5])

  @Test func inferenceComputesTheSame() {
    let material = Material()
    let chain = material.chain(x).scalars
    let branches = material.branches(x)
    #expect(branches.shape == [2, 9, 7, 9])
    let packedChain = material.chain.forInference()
    let packedBranches = material.branches.forInference()
    expectClose(packedChain(x).scalars, chain, tolerance: 1e-5)
    expectClose(packedBranches(x).scalars, branches.scalars, tolerance: 1e-5)
    // What was packed is released.
    #expect(!material.store.parameters.contains { $0.isLoaded })
  }

  @Test func theLastLayerAddsAResidual() {
    let material = Material()
    let expected = (material.chain(x) + x).scalars
    #expect(material.chain(x, adding: x, .inference).scalars == expected)
    let packed = material.chain.forInference()
    expectClose(packed(x, adding: x, .inference).scalars, expected, tolerance: 1e-5)
    let nothing: [any Module] = []
    #expect(nothing(x).scalars == x.scalars)
    #expect(nothing(x, adding: x, .inference).scalars == (x + x).scalars)
    let doubled = FunctionLayer { $0 * 2 }
    #expect(doubled(x, adding: x, .inference).scalars == (x * 2 + x).scalars)
  }
}

/// Numbers from 0 to 1.
private func tensor(_ name: String, shape: [Int]) -> Tensor {
  Tensor(Formula.uniform(name, count: shape.reduce(1, *)).map { Float($0) }, shape: shape)
}
