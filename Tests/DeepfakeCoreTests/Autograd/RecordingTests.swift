import DeepfakeCore
import TestSupport
import Testing

@Suite struct RecordingTests {
  private struct Interruption: Error {}

  private static func parameter(_ name: String, _ values: [Float]) -> Parameter {
    let parameter = ParameterStore().root.parameter(
      name, shape: [values.count], role: .weight, initializer: .constant(0))
    parameter.value = Tensor(values, shape: [values.count])
    return parameter
  }

  @Test func usesOfOneTensorAddUp() {
    let x = Tensor([1, 2, 3], shape: [3])
    let result = valueAndGrad(at: [x]) { tensors in
      let x = tensors[0]
      return (x * x + x - (-x)).sum()
    }
    #expect(result.value == 26)
    #expect(result.gradients[0].scalars == [4, 6, 8])
    // The same tensor as two inputs.
    let twice = valueAndGrad(at: [x, x]) { ($0[0] * $0[1]).sum() }
    #expect(twice.gradients.map(\.scalars) == [[1, 2, 3], [1, 2, 3]])
  }

  @Test func usesOfOneParameterAddUp() {
    let shared = Self.parameter("shared", [2, 3])
    let x = Tensor([5, 7], shape: [2])
    let result = valueAndGrad { (x * shared.value * shared.value + shared.value).sum() }
    #expect(result.gradients[shared]?.scalars == [21, 43])
  }

  @Test func onlyWhatIsAskedForHasAGradient() {
    let (a, b) = (Self.parameter("a", [2]), Self.parameter("b", [3]))
    let statistic = ParameterStore().root.parameter(
      "mean", shape: [1], role: .statistic, initializer: .constant(0))
    statistic.value = Tensor([5], shape: [1])
    func body() -> Tensor { (a.value * b.value + statistic.value * b.value).sum() }
    let all = valueAndGrad { body() }
    #expect(all.gradients.parameters.map(\.key) == ["a", "b"])
    #expect(all.gradients[a]?.item == 3 && all.gradients[b]?.item == 7)
    let one = valueAndGrad(of: [b]) { body() }
    #expect(one.gradients.parameters.map(\.key) == ["b"])
    #expect(one.gradients[b]?.item == 7 && one.gradients[a] == nil)
    #expect(one.value == all.value)
    let unread = valueAndGrad(of: [a, b]) { (b.value * 2).sum() }
    #expect(unread.gradients.parameters.map(\.key) == ["b"])
    let unused = valueAndGrad {
      _ = a.value * 2
      return b.value.sum()
    }
    #expect(unused.gradients[a]?.item == 0, "read, but nothing depends on it")
  }

  @Test func whatOnlyFrozenParametersNeedIsNotKept() {
    let kept = KeptTensors()
    let (frozen, head) = (Self.parameter("frozen", [2]), Self.parameter("head", [3]))
    let step = KeptTensors.Step(kept: kept)
    let result = valueAndGrad(of: [head]) {
      let features = step(step(frozen.value))
      #expect(kept.alive == 0)
      let output = step(features * head.value)
      #expect(kept.alive == 1)
      return output
    }
    #expect(result.value == 13 && result.gradients[head]?.item == 4)
    #expect(kept.notes.count == 1, "the frozen part's pullbacks do not run")
  }

  @Test func backwardFreesNodesAsItPasses() {
    let kept = KeptTensors()
    let step = KeptTensors.Step(kept: kept)
    let result = valueAndGrad(at: [Tensor([0], shape: [1])]) { tensors in
      (0..<10).reduce(tensors[0]) { x, _ in step(x) }
    }
    #expect(result.value == 10 && result.gradients[0].item == 1)
    #expect(kept.notes == (1...10).reversed())
    #expect(kept.alive == 0)
  }

  @Test func remadeOutputsAreNotKept() {
    for canRecompute in [false, true] {
      let kept = KeptTensors()
      let doubling = KeptTensors.Doubling(kept: kept, canRecompute: canRecompute)
      let result = valueAndGrad(at: [Tensor([3], shape: [1])]) { tensors in
        // Multiply saves the doubled tensor, and the other factor.
        let output = doubling(tensors[0]) * tensors[0]
        #expect(kept.alive == (canRecompute ? 0 : 1))
        return output.sum()
      }
      #expect(result.value == 18 && result.gradients[0].item == 12)
      #expect(kept.alive == 0)
    }
  }

  @Test func nothingIsRecordedOutside() {
    let kept = KeptTensors()
    let step = KeptTensors.Step(kept: kept)
    let parameter = Self.parameter("p", [1])
    let plain = step(parameter.value)
    #expect(kept.alive == 0 && plain.item == 2)
    let result = valueAndGrad {
      let constant = withoutRecording { step(parameter.value) }
      #expect(kept.alive == 0)
      return (constant * parameter.value).sum()
    }
    #expect(result.gradients[parameter]?.item == 2, "the first factor is a constant")
    // A tensor of a recording that is over counts as a constant in the next.
    var left: Tensor?
    _ = valueAndGrad {
      left = parameter.value * 3
      return parameter.value.sum()
    }
    let later = valueAndGrad { (left.map { $0 * parameter.value } ?? parameter.value).sum() }
    #expect(later.gradients[parameter]?.item == 3)
  }

  @Test func anErrorLeavesNothingRecorded() {
    let kept = KeptTensors()
    let step = KeptTensors.Step(kept: kept)
    let parameter = Self.parameter("p", [1])
    #expect(throws: Interruption.self) {
      try valueAndGrad {
        let y = step(step(parameter.value))
        #expect(kept.alive == 2)
        if y.item == 3 { throw Interruption() }
        return y
      }
    }
    #expect(kept.alive == 0)
    let after = step(parameter.value)
    #expect(kept.alive == 0 && after.item == 2 && kept.notes.isEmpty)
  }

  @Test func aComputationWithinIsItsOwn() {
    let parameter = Self.parameter("p", [3])
    let outer = valueAndGrad {
      let inner = valueAndGrad { (parameter.value * parameter.value).sum() }
      #expect(inner.gradients[parameter]?.item == 6)
      // 9 * p + 6 * p, both factors constants here.
      return ((parameter.value * inner.value) + parameter.value * 6).sum()
    }
    #expect(outer.gradients[parameter]?.item == 15)
  }

  @Test func tasksDoNotDisturbEachOther() async {
    let parameter = Self.parameter("p", (0..<500).map { Float($0) / 100 })
    @Sendable func gradient(_ factor: Float) -> [Float] {
      let result = valueAndGrad {
        let x = (parameter.value * factor).tanh()
        return (x * x + parameter.value).sum()
      }
      return result.gradients[parameter]?.scalars ?? []
    }
    let expected = (0..<16).map { gradient(Float($0)) }
    let found = await withTaskGroup(of: (Int, [Float]).self) { group in
      for index in 0..<16 { group.addTask { (index, gradient(Float(index))) } }
      var found = [[Float]](repeating: [], count: 16)
      for await (index, gradient) in group { found[index] = gradient }
      return found
    }
    #expect(found == expected)
  }

  @Test func longChainsDoNotOverflowTheStack() {
    let x = Tensor([3], shape: [1])
    let result = valueAndGrad(at: [x]) { tensors in
      (0..<100_000).reduce(tensors[0]) { x, _ in -x }
    }
    #expect(result.value == 3 && result.gradients[0].item == 1)
    #expect(throws: Interruption.self) {
      try valueAndGrad(at: [x]) { tensors -> Tensor in
        let y = (0..<100_000).reduce(tensors[0]) { x, _ in -x }
        throw y.item == 3 ? Interruption() : CancellationError()
      }
    }
  }
}
