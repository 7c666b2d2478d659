import DeepfakeCore
import TestSupport
import Testing

@Suite struct LayerTests {
  @Test func keysShapesAndLayouts() {
    let store = ParameterStore()
    let scope = store.root / "blocks" / 3
    _ = Conv2d(scope / "conv", 6, 8, kernel: 3, groups: 2)
    _ = Conv2d(scope / "plain", 6, 8, kernel: 1, bias: false)
    _ = BatchNorm2d(scope / "bn", 8)
    _ = GroupNorm(scope / "gn", 8, groups: 4)
    _ = Linear(scope / "fc", 5, 2)
    _ = PReLU(scope / "prelu", 8)
    _ = Dropout(scope / "drop", 0.5)
    let described = store.parameters.map { "\($0.key) \($0.layout.fileShape($0.shape))" }
    #expect(
      described == [
        "blocks.3.conv.weight [8, 3, 3, 3]", "blocks.3.conv.bias [8]",
        "blocks.3.plain.weight [8, 6, 1, 1]", "blocks.3.bn.weight [8]", "blocks.3.bn.bias [8]",
        "blocks.3.bn.running_mean [8]", "blocks.3.bn.running_var [8]", "blocks.3.gn.weight [8]",
        "blocks.3.gn.bias [8]", "blocks.3.fc.weight [2, 5]", "blocks.3.fc.bias [2]",
        "blocks.3.prelu.weight [8]",
      ])
    #expect(store["blocks.3.conv.weight"]?.shape == [3, 3, 3, 8])
    #expect(store["blocks.3.fc.weight"]?.shape == [5, 2])
    #expect(store["blocks.3.bn.running_var"]?.role == .statistic)
    #expect(store["blocks.3.prelu.weight"]?.role == .affine)
  }

  @Test func initialisersArePyTorchs() {
    let store = ParameterStore()
    let conv = Conv2d(store.root / "conv", 32, 64, kernel: 3, groups: 2)
    let linear = Linear(store.root / "fc", 100, 50)
    let norm = BatchNorm2d(store.root / "bn", 4)
    store.initialize(seed: 1)
    let weight = conv.weight.value
    // Fan-out 3 * 3 * 64 / 2 = 288.
    #expect(abs((weight * weight).mean().item - 2.0 / 288) < 2.0 / 288 * 0.05)
    #expect(linear.weight.value.abs().max().item <= 0.1)
    #expect(linear.weight.value.abs().max().item > 0.095)
    #expect(conv.bias?.value.scalars == [Float](repeating: 0, count: 64))
    #expect(norm.runningVariance.value.scalars == [1, 1, 1, 1])
    let again = ParameterStore()
    let same = Conv2d(again.root / "conv", 32, 64, kernel: 3, groups: 2)
    again.initialize(seed: 1)
    #expect(same.weight.value.scalars == weight.scalars)
    again.initialize(seed: 2)
    #expect(same.weight.value.scalars != weight.scalars)
  }

  @Test func linearKeepsLeadingAxes() {
    let store = ParameterStore()
    let linear = Linear(store.root / "fc", 3, 2)
    linear.weight.value = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
    linear.bias?.value = Tensor([10, 20], shape: [2])
    let y = linear(Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1], shape: [2, 2, 3]))
    #expect(y.shape == [2, 2, 2])
    #expect(y.scalars == [11, 22, 13, 24, 15, 26, 19, 32])
  }

  /// A norm of two channels that has seen something.
  private func usedNorm() -> BatchNorm2d {
    let store = ParameterStore()
    let norm = BatchNorm2d(store.root / "bn", 2, epsilon: 1e-5, momentum: 0.1)
    store.initialize(seed: 1)
    norm.runningMean.value = Tensor([1, -1], shape: [2])
    norm.runningVariance.value = Tensor([2, 3], shape: [2])
    return norm
  }

  @Test func frozenStatisticsServeInTrainingAndStay() {
    let norm = usedNorm()
    let x = Tensor([0, 4, 2, 4, 4, 4, 6, 4], shape: [2, 1, 2, 2])
    let context = TrainingContext(seed: 1, step: 0, freezesStatistics: true)
    let (y, gradients) = valueAndGrad(of: [norm.weight, norm.bias]) {
      norm(x, .training(context)).sum()
    }
    #expect(y == norm(x, .inference).sum().scalars[0])
    #expect(context.recorded.isEmpty)
    // Of the sum: how far the inputs are from the running means, and the number of inputs.
    let (first, second) = (Float(2 + 1e-5).squareRoot(), Float(3 + 1e-5).squareRoot())
    expectClose(gradients[norm.weight]?.scalars ?? [], [8 / first, 20 / second], tolerance: 1e-5)
    expectClose(gradients[norm.bias]?.scalars ?? [], [4, 4], tolerance: 1e-6)
  }

  @Test func batchNormTrainingUpdatesStatisticsAsPyTorch() {
    let norm = usedNorm()
    // Channel 0 holds 0, 2, 4, 6 (mean 3, variance 5, unbiased 20/3); channel 1 is constant.
    let x = Tensor([0, 4, 2, 4, 4, 4, 6, 4], shape: [2, 1, 2, 2])
    let context = TrainingContext(seed: 1, step: 0)
    let y = norm(x, .training(context))
    let deviation = Float(5 + 1e-5).squareRoot()
    expectClose(
      y.scalars, [-3 / deviation, 0, -1 / deviation, 0, 1 / deviation, 0, 3 / deviation, 0],
      tolerance: 1e-6)
    expectClose(context.recorded["bn.running_mean"]?.scalars ?? [], [1.2, -0.5], tolerance: 1e-6)
    expectClose(
      context.recorded["bn.running_var"]?.scalars ?? [], [1.8 + 2.0 / 3, 2.7], tolerance: 1e-6)
    #expect(norm.runningMean.value.scalars == [1, -1], "the trainer stores them, not the layer")
  }

  @Test func dropoutKeepsTheMeanAndIsSeeded() {
    let store = ParameterStore()
    let drop = Dropout(store.root / "drop", 0.25)
    let other = Dropout(store.root / "other", 0.25)
    let x = Tensor(repeating: 3, shape: [100, 100])
    #expect(drop(x, .inference).scalars == x.scalars)
    let y = drop(x, .training(TrainingContext(seed: 1, step: 7)))
    #expect(Set(y.scalars) == [0, 4])
    #expect(abs(y.mean().item - 3) < 0.1)
    #expect(drop(x, .training(TrainingContext(seed: 1, step: 7))).scalars == y.scalars)
    #expect(drop(x, .training(TrainingContext(seed: 1, step: 8))).scalars != y.scalars)
    #expect(drop(x, .training(TrainingContext(seed: 2, step: 7))).scalars != y.scalars)
    #expect(other(x, .training(TrainingContext(seed: 1, step: 7))).scalars != y.scalars)
  }

  @Test func stochasticDepthDropsWholeImages() {
    let store = ParameterStore()
    let depth = StochasticDepth(store.root / "depth", 0.5)
    let x = Tensor(repeating: 1, shape: [200, 2, 3, 4])
    #expect(depth(x, .inference).scalars == x.scalars)
    let y = depth(x, .training(TrainingContext(seed: 1, step: 0)))
    let sums = y.sum(axes: [1, 2, 3]).scalars
    #expect(Set(sums) == [0, 48])
    #expect((70...130).contains(sums.filter { $0 == 0 }.count))
  }
}
