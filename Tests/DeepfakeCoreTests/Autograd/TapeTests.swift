import DeepfakeCore
import TestSupport
import Testing

@Suite struct TapeTests {
  /// x * x, whose output is remade.
  private struct Square: Operation {
    var canRecompute: Bool { true }

    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
      (inputs[0] * inputs[0], inputs)
    }

    func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
      [gradient * saved[0] * 2]
    }

    func recompute(saved: [Tensor]) -> Tensor? { saved[0] * saved[0] }
  }

  /// The sum of a tensor's squares times another's elements.
  private struct Weigh: Operation {
    func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
      ((inputs[0] * inputs[1]).sum(), inputs)
    }

    func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
      [wants[0] ? gradient * saved[1] : nil, wants[1] ? gradient * saved[0] : nil]
    }
  }

  /// x to the fourth, of one element, as a block.
  private struct Fourth: Module {
    let scale: Parameter

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
      Weigh()(Square()(Square()(x)), scale.value)
    }
  }

  @Test func gradientsOfWhatIsUsedTwiceAddUp() {
    let x = Tensor([1, 2, 3], shape: [3])
    let result = valueAndGrad(at: [x]) { Weigh()(Square()($0[0]), $0[0]) }
    #expect(result.value == 36)
    expectClose(result.gradients[0], Tensor([3, 12, 27], shape: [3]), tolerance: 1e-6)
  }

  @Test func aCheckpointedBlockHasTheGradientsOfThePlainOne() {
    let scale = ParameterStore().root.parameter(
      "scale", shape: [2], role: .weight, initializer: .constant(1))
    scale.value = Tensor([3, 5], shape: [2])
    let x = Tensor([1, 2], shape: [2])
    let block = Fourth(scale: scale)
    let plain = valueAndGrad { block(x) }
    let checkpointed = valueAndGrad { Checkpointed(block)(x) }
    #expect(plain.value == 83 && checkpointed.value == 83)
    #expect(plain.gradients[scale]?.scalars == [1, 16])
    #expect(checkpointed.gradients[scale]?.scalars == [1, 16])
    #expect(valueAndGrad(of: []) { block(x) }.gradients.parameters.isEmpty)
    let atX = valueAndGrad(at: [x]) { Checkpointed(block)($0[0]) }
    #expect(atX.gradients[0].scalars == [12, 160])
  }

  @Test func theFirstLayerThatIsNotFiniteIsNamed() {
    let store = ParameterStore()
    let layers = (0..<3).map { i in
      store.root.parameter(
        "layer\(i)", shape: [2], role: .weight, initializer: .constant(Float(i + 1)))
    }
    store.initialize(seed: 1)
    let x = Tensor([1, 2], shape: [2])
    func run() -> Tensor {
      layers.reduce(x) { Checkpointed(Scaled(scale: $1))($0) }.sum()
    }
    #expect(firstNonFiniteLayer(run) == nil)
    layers[1].value = Tensor([1, .nan], shape: [2])
    let found = firstNonFiniteLayer(run)
    #expect(found?.operation == "Multiply")
    #expect(found?.parameters == ["layer1"] && found?.damaged == ["layer1"])
    layers[1].value = Tensor([1, 1e30], shape: [2])
    layers[2].value = Tensor([1, 1e30], shape: [2])
    #expect(firstNonFiniteLayer(run)?.parameters == ["layer2"])
    #expect(firstNonFiniteLayer(run)?.damaged == [])
  }

  private struct Scaled: Module {
    let scale: Parameter
    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor { x * scale.value }
  }
}
