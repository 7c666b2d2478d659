import DeepfakeCore
import TestSupport
import Testing

/// The packed block against the plain layers, which the goldens hold to PyTorch.
@Suite struct PackedInvertedBottleneckTests {
  struct Case: Sendable {
    var widens = true
    var stride = 1
    var outputs = 6
    var groups = 0
    var bias = false
    var isLite = false

    var activation: Activation { isLite ? .relu6 : .silu }
  }

  /// A block of plain layers.
  struct Block {
    let store = ParameterStore()
    let given: Case
    let widen, filter, reduce, excite, project: Conv2d
    private var norms: [NormLayer] = []

    init(_ given: Case) {
      self.given = given
      let root = store.root
      let inputs = given.widens ? 6 : 42
      widen = Conv2d(root / "widen", inputs, 42, kernel: 1, bias: given.bias)
      filter = Conv2d(
        root / "filter", 42, 42, kernel: 3, stride: given.stride, padding: .sameFromInput,
        groups: 42, bias: given.bias)
      reduce = Conv2d(root / "reduce", 42, 3, kernel: 1)
      excite = Conv2d(root / "excite", 3, 42, kernel: 1)
      project = Conv2d(root / "project", 42, given.outputs, kernel: 1, bias: given.bias)
      for (name, channels) in [("bn1", 42), ("bn2", 42), ("bn3", given.outputs)] {
        norms.append(
          given.groups > 0
            ? .group(GroupNorm(root / name, channels, groups: given.groups))
            : .batch(BatchNorm2d(root / name, channels)))
      }
      for parameter in store.parameters {
        var generator = SeededGenerator(seed: 21, label: parameter.key)
        parameter.value =
          parameter.key.hasSuffix("running_var")
          ? .uniform(shape: parameter.shape, in: 0.5..<2, using: &generator)
          : .normal(shape: parameter.shape, deviation: 0.3, using: &generator)
      }
    }

    var inputs: Int { given.widens ? 6 : 42 }
    var hasResidual: Bool { given.stride == 1 && given.outputs == inputs }

    func callAsFunction(_ x: Tensor) -> Tensor {
      var y = x
      if given.widens { y = normalized(widen(y), 0).activated(given.activation) }
      y = normalized(filter(y), 1).activated(given.activation)
      let means = y.mean(axes: [1, 2]).reshaped([x.shape[0], 1, 1, -1])
      if !given.isLite {
        y = y * excite(reduce(means).activated(.silu)).activated(.sigmoid)
      }
      y = normalized(project(y), 2)
      return hasResidual ? y + x : y
    }

    private func normalized(_ x: Tensor, _ index: Int) -> Tensor {
      switch norms[index] {
      case .batch(let norm): norm(x)
      case .group(let norm): norm(x)
      }
    }

    var packed: PackedInvertedBottleneck {
      PackedInvertedBottleneck(
        widen: given.widens ? (widen, norms[0]) : nil, filter: (filter, norms[1]),
        reduce: given.isLite ? nil : reduce, excite: given.isLite ? nil : excite,
        project: (project, norms[2]), activation: given.activation, hasResidual: hasResidual)
    }
  }

  @Test(arguments: [
    Case(), Case(stride: 2, bias: true), Case(widens: false, outputs: 42),
    Case(outputs: 9, groups: 3), Case(groups: 2), Case(widens: false, stride: 2, groups: 6),
    Case(isLite: true), Case(outputs: 9, groups: 3, isLite: true),
  ])
  func equalsThePlainPath(_ given: Case) {
    let block = Block(given)
    var generator = SeededGenerator(seed: 22)
    let inputs = [(1, 6, 5), (3, 7, 7), (2, 33, 40)].map { batch, height, width in
      Tensor.normal(shape: [batch, height, width, block.inputs], using: &generator)
    }
    let expected = inputs.map { block($0) }
    let packed = block.packed
    let unused =
      (given.widens ? [] : ["widen.weight", "widen.bias", "bn1"])
      + (given.isLite ? ["reduce", "excite"] : [])
    for parameter in block.store.parameters
    where !unused.contains(where: parameter.key.hasPrefix) {
      #expect(!parameter.isLoaded, "\(parameter.key) is released")
    }
    for (x, expected) in zip(inputs, expected) {
      expectClose(packed(x), expected, tolerance: 5e-5, "\(given) \(x.shape)")
    }
  }

  /// One layer's work is what its parts have to do.
  @Test func tellsItsWork() {
    let packed = Block(Case(stride: 2)).packed
    let x = Tensor(repeating: 0.5, shape: [2, 6, 8, 6])
    let (_, entries) = LayerTimes.record { packed(x) }
    #expect(entries.count == 1 && entries[0].key == "filter" && entries[0].work.kind == .block)
    #expect(entries[0].work.input == [2, 6, 8, 6] && entries[0].work.output == [2, 3, 4, 6])
    let squeeze = 2 * 42 * 3 * 2
    #expect(
      entries[0].work.multiplyAdds
        == 96 * 6 * 42 + 24 * 42 * 9 + squeeze + 24 * 42 * 6)
  }

  @Test func misuseStops() async {
    await #expect(processExitsWith: .failure) {
      _ = Block(Case()).packed(Tensor(zeros: [1, 5, 5, 7]))
    }
    await #expect(processExitsWith: .failure) {
      let block = Block(Case())
      _ = PackedInvertedBottleneck(
        widen: nil, filter: (block.widen, .batch(BatchNorm2d(block.store.root / "x", 42))),
        reduce: block.reduce, excite: block.excite,
        project: (block.project, .batch(BatchNorm2d(block.store.root / "y", 6))),
        activation: .silu, hasResidual: false)
    }
  }
}
