import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// The packed layers against the plain ones, which the goldens hold to PyTorch.
@Suite struct PackedLayerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var inputs: Int
    var outputs: Int
    var kernel: Int
    var stride = 1
    var padding = Padding.none
    var dilation = 1
    var groups = 1
    var bias = true
    var norm = true
    var activation = Activation.silu
    /// Winograd's method rounds more than plain sums, of numbers that are not small here.
    var tolerance: Float = 2e-5

    var testDescription: String {
      "\(inputs) to \(outputs), kernel \(kernel), stride \(stride), \(padding), dilation"
        + " \(dilation), \(groups) groups, bias \(bias), norm \(norm), \(activation)"
    }
  }

  static let cases = [
    Case(inputs: 3, outputs: 17, kernel: 3, stride: 2, padding: .symmetric(1), bias: false),
    Case(inputs: 3, outputs: 8, kernel: 3, stride: 2, padding: .sameFromInput),
    Case(inputs: 5, outputs: 33, kernel: 1),
    Case(inputs: 40, outputs: 16, kernel: 1, bias: false, norm: false, activation: .identity),
    Case(inputs: 40, outputs: 7, kernel: 1, padding: .sameFromInput, activation: .sigmoid),
    Case(inputs: 6, outputs: 5, kernel: 1, stride: 2, activation: .leakyReLU(slope: 0.1)),
    Case(inputs: 6, outputs: 5, kernel: 1, padding: .symmetric(1), activation: .relu),
    Case(inputs: 6, outputs: 9, kernel: 1, groups: 3),
    Case(inputs: 19, outputs: 19, kernel: 3, padding: .symmetric(1), groups: 19, bias: false),
    Case(inputs: 16, outputs: 16, kernel: 5, stride: 2, padding: .sameFromInput, groups: 16),
    Case(inputs: 4, outputs: 8, kernel: 3, padding: .symmetric(2), dilation: 2, groups: 4),
    Case(inputs: 8, outputs: 6, kernel: 3, padding: .symmetric(1), groups: 2, norm: false),
    Case(inputs: 1, outputs: 1, kernel: 3, padding: .symmetric(1)),
    Case(inputs: 16, outputs: 20, kernel: 3, padding: .symmetric(1), tolerance: 1e-4),
    Case(
      inputs: 24, outputs: 16, kernel: 3, activation: .leakyReLU(slope: 0.1), tolerance: 1e-4),
    Case(
      inputs: 17, outputs: 33, kernel: 3, padding: .sameFromInput, bias: false, norm: false,
      tolerance: 1e-4),
  ]

  /// What the plain layers give for one input.
  struct Example {
    let x, residual, output: Tensor
  }

  @Test(arguments: cases) func packedConvolutionEqualsThePlainPath(_ c: Case) {
    let store = ParameterStore()
    let conv = Conv2d(
      store.root / "conv", c.inputs, c.outputs, kernel: c.kernel, stride: c.stride,
      padding: c.padding, dilation: c.dilation, groups: c.groups, bias: c.bias)
    let norm = c.norm ? BatchNorm2d(store.root / "bn", c.outputs, epsilon: 1e-3) : nil
    randomize(store)
    var generator = SeededGenerator(seed: 8)
    let plain = { (x: Tensor) in
      let y = conv(x)
      return (norm.map { $0(y) } ?? y).activated(c.activation)
    }
    let examples = [(9, 8), (7, 12), (5, 5)].map { height, width in
      let x = Tensor.normal(shape: [2, height, width, c.inputs], using: &generator)
      let output = plain(x)
      return Example(
        x: x, residual: .normal(shape: output.shape, using: &generator), output: output)
    }
    let packed = PackedConv2d(conv, norm: norm, activation: c.activation)
    #expect(store.parameters.allSatisfy { !$0.isLoaded }, "packing releases the parameters")
    for example in examples {
      let (x, residual) = (example.x, example.residual)
      expectClose(packed(x), example.output, tolerance: c.tolerance, "plain")
      expectClose(
        packed(x, residual: residual), example.output + residual, tolerance: c.tolerance, "residual"
      )
    }
  }

  @Test(arguments: [Activation.identity, .relu, .relu6, .leakyReLU(slope: 0.2), .silu, .sigmoid])
  func packedLinearEqualsThePlainPath(_ activation: Activation) {
    for (inputs, outputs, bias) in [(37, 1, true), (16, 48, false), (5, 19, true)] {
      let store = ParameterStore()
      let linear = Linear(store.root / "fc", inputs, outputs, bias: bias)
      randomize(store)
      var generator = SeededGenerator(seed: 9)
      let x = Tensor.normal(shape: [3, 2, inputs], using: &generator)
      let expected = linear(x).activated(activation)
      let packed = PackedLinear(linear, activation: activation)
      #expect(!linear.weight.isLoaded)
      expectClose(packed(x), expected, tolerance: 2e-5)
    }
  }

  /// A file holds [out, in], values in memory are [in, out]: packing either must give the same.
  @Test func weightsArePackedFromAFileAsFromMemory() throws {
    for (inputs, outputs, kernel, hasNorm) in [
      (1, 1, 1, false), (40, 33, 1, true), (16, 70, 1, false), (47, 5, 1, true), (6, 9, 3, true),
    ] {
      let (saved, loaded) = (ParameterStore(), ParameterStore())
      let layers = [saved, loaded].map { store in
        (
          Conv2d(store.root / "conv", inputs, outputs, kernel: kernel),
          hasNorm ? BatchNorm2d(store.root / "bn", outputs) : nil,
          Linear(store.root / "fc", inputs, outputs)
        )
      }
      randomize(saved)
      let file = FileManager.default.temporaryDirectory.appending(
        path: "packed-\(UUID().uuidString).safetensors")
      defer { try? FileManager.default.removeItem(at: file) }
      try saved.stateDict().write(safetensors: file)
      try loaded.load(try StateDict.read(file))
      var generator = SeededGenerator(seed: 11)
      let x = Tensor.normal(shape: [2, 5, 4, inputs], using: &generator)
      let outputs = layers.map { conv, norm, linear in
        [
          PackedConv2d(conv, norm: norm, activation: .silu)(x).scalars,
          PackedLinear(linear)(x).scalars,
        ]
      }
      #expect(outputs[0] == outputs[1], "\(inputs) to \(outputs.count), kernel \(kernel)")
      #expect(loaded.parameters.allSatisfy { !$0.isLoaded })
    }
  }

  @Test(arguments: [Activation.identity, .relu, .silu])
  func fusedGroupNormEqualsThePlainPath(_ activation: Activation) {
    for (channels, groups, height) in [(8, 8, 5), (24, 8, 7), (40, 2, 1), (6, 1, 4)] {
      let store = ParameterStore()
      let norm = GroupNorm(store.root / "gn", channels, groups: groups)
      randomize(store)
      var generator = SeededGenerator(seed: 10)
      let x = Tensor.normal(shape: [2, height, 3, channels], using: &generator)
      let residual = Tensor.normal(shape: x.shape, using: &generator)
      let expected = norm(x).activated(activation)
      let before = x.scalars
      let fused = FusedGroupNorm(norm, activation: activation)
      expectClose(fused(x), expected, tolerance: 2e-5)
      #expect(x.scalars == before, "an input that is still in use is left alone")
      expectClose(fused(x, residual: residual), expected + residual, tolerance: 2e-5)
      // A temporary may be overwritten; the result is the same.
      expectClose(fused(x + 0), expected, tolerance: 2e-5, "in place")
    }
  }

  @Test func groupNormReusesATemporarysMemory() {
    let store = ParameterStore()
    let norm = GroupNorm(store.root / "gn", 8, groups: 2)
    store.initialize(seed: 1)
    let fused = FusedGroupNorm(norm)
    let x = Tensor(repeating: 1, shape: [1, 4, 4, 8])
    let temporary = x + 1
    let address = temporary.withUnsafeBuffer { $0.baseAddress }
    let y = fused(consume temporary)
    #expect(y.withUnsafeBuffer { $0.baseAddress } == address)
    let z = fused(x)
    #expect(z.withUnsafeBuffer { $0.baseAddress } != x.withUnsafeBuffer { $0.baseAddress })
  }

  @Test func foldingIsExactToDoublePrecision() {
    // A tiny variance and a large mean, where folding in single precision would lose digits.
    let store = ParameterStore()
    let conv = Conv2d(store.root / "conv", 1, 1, kernel: 1)
    let norm = BatchNorm2d(store.root / "bn", 1, epsilon: 1e-3)
    conv.weight.value = Tensor([1], shape: [1, 1, 1, 1])
    conv.bias?.value = Tensor([1000.125], shape: [1])
    norm.weight.value = Tensor([3], shape: [1])
    norm.bias.value = Tensor([0.25], shape: [1])
    norm.runningMean.value = Tensor([1000], shape: [1])
    norm.runningVariance.value = Tensor([1e-6], shape: [1])
    let packed = PackedConv2d(conv, norm: norm)
    let scale = 3 / (Double(Float(1e-6)) + Double(Float(1e-3))).squareRoot()
    #expect(packed(Tensor(zeros: [1, 1, 1, 1])).item == Float(0.25 + 0.125 * scale))
  }

  @Test func misuseStops() async {
    await #expect(processExitsWith: .failure) {
      let store = ParameterStore()
      let conv = Conv2d(store.root, 2, 2, kernel: 3)
      store.initialize(seed: 1)
      _ = PackedConv2d(conv)(Tensor(zeros: [1, 5, 5, 3]))
    }
    await #expect(processExitsWith: .failure) {
      let store = ParameterStore()
      _ = PackedConv2d(Conv2d(store.root, 2, 2, kernel: 3))
    }
  }
}
