import DeepfakeCore
import TestSupport
import Testing

/// Chains against the plain layers, which the goldens hold to PyTorch.
@Suite struct ConvolutionChainTests {
  struct Part {
    var conv: Conv2d
    var norm: BatchNorm2d
    var activation: Activation

    init(
      _ scope: Scope, _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1,
      groups: Int = 1, activation: Activation
    ) {
      conv = Conv2d(
        scope / "conv", inputs, outputs, kernel: kernel, stride: stride,
        padding: .symmetric(kernel / 2), groups: groups, bias: false)
      norm = BatchNorm2d(scope / "bn", outputs, epsilon: 1e-3)
      self.activation = activation
    }

    var block: ConvolutionChain.Block { .init(conv, norm: norm, activation: activation) }

    func callAsFunction(_ x: Tensor) -> Tensor { norm(conv(x)).activated(activation) }
  }

  @Test(arguments: [ChannelOrder.rgb, .bgr]) func equalsThePlainLayers(order: ChannelOrder) {
    let store = ParameterStore()
    let stem = Part(
      store.root / "stem", 3, 8, kernel: 5, stride: 2, activation: .leakyReLU(slope: 0.1))
    let depthwise = Part(
      store.root / "depthwise", 8, 8, kernel: 3, stride: 2, groups: 8, activation: .relu)
    let pointwise = Part(store.root / "pointwise", 8, 21, kernel: 1, activation: .identity)
    randomize(store)
    var generator = SeededGenerator(seed: 5)
    let images = (0..<2).map { _ in
      Image(width: 23, height: 14) { pixels in
        for i in pixels.indices { pixels[i] = UInt8(truncatingIfNeeded: generator.next()) }
      }
    }
    let normalization = PixelNormalization(
      mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3], channelOrder: order)
    let x = Tensor(images: images, normalization: normalization)
    let expected = pointwise(depthwise(stem(x)))
    let residual = Tensor.normal(shape: expected.shape, using: &generator)
    let chain = ConvolutionChain(
      [
        .plain(stem.block),
        .separable(depthwise: depthwise.block, pointwise: pointwise.block),
      ], normalization: normalization)
    #expect(store.parameters.allSatisfy { !$0.isLoaded }, "packing releases the parameters")
    expectClose(chain(x), expected, tolerance: 5e-5, "maps")
    expectClose(chain(x, residual: residual), expected + residual, tolerance: 5e-5, "residual")
    expectClose(chain(images), expected, tolerance: 5e-5, "images")
  }
}
