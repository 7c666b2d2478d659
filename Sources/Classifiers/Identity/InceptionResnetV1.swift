import DeepfakeCore

/// Inception-ResNet-v1 (Szegedy et al. 2016) as facenet-pytorch publishes it for faces, under its keys. For
/// inference only: dropout, and the classifier of the people it was trained on, are left out.
struct InceptionResnetV1: Sendable {
  static let dimension = 512
  /// The classifier of the training set's people, which published files hold and embeddings do not need.
  static let unusedKeys = ["logits.weight", "logits.bias"]

  let store: ParameterStore

  /// A layer of the chain.
  enum Layer: Sendable {
    case convolution(InceptionConvolution)
    case maxPool
    case residual(InceptionBlock)
    case reduction([InceptionBranch])
  }

  let layers: [Layer]
  let lastLinear: Linear
  let lastNorm: BatchNorm2d

  /// A network without weights: load some.
  init() {
    store = ParameterStore()
    let scope = store.root
    func layer(
      _ name: String, _ inputs: Int, _ outputs: Int, _ shape: InceptionConvolution.Shape
    ) -> Layer {
      .convolution(InceptionConvolution(scope / name, inputs, outputs, shape))
    }
    func repeated(_ name: String, _ count: Int, _ spec: InceptionBlock.Spec) -> [Layer] {
      (0..<count).map { .residual(InceptionBlock(scope / name / $0, spec)) }
    }
    func reduction(_ name: String, _ branches: [InceptionBranch.Spec]) -> Layer {
      .reduction(
        branches.enumerated().map { InceptionBranch(scope / name / "branch\($0)", $1) })
    }
    var layers = [
      layer("conv2d_1a", 3, 32, .square(3, stride: 2)), layer("conv2d_2a", 32, 32, .square(3)),
      layer("conv2d_2b", 32, 64, .padded(3, 3)), .maxPool,
      layer("conv2d_3b", 64, 80, .square(1)), layer("conv2d_4a", 80, 192, .square(3)),
      layer("conv2d_4b", 192, 256, .square(3, stride: 2)),
    ]
    layers += repeated("repeat_1", 5, .block35)
    layers.append(
      reduction(
        "mixed_6a",
        [
          .single(256, 384, .square(3, stride: 2)),
          .chain(256, [(192, .square(1)), (192, .padded(3, 3)), (256, .square(3, stride: 2))]),
          .maxPool,
        ]))
    layers += repeated("repeat_2", 10, .block17)
    layers.append(
      reduction(
        "mixed_7a",
        [
          .chain(896, [(256, .square(1)), (384, .square(3, stride: 2))]),
          .chain(896, [(256, .square(1)), (256, .square(3, stride: 2))]),
          .chain(896, [(256, .square(1)), (256, .padded(3, 3)), (256, .square(3, stride: 2))]),
          .maxPool,
        ]))
    layers += repeated("repeat_3", 5, .block8)
    layers.append(.residual(InceptionBlock(scope / "block8", .lastBlock8)))
    self.layers = layers
    lastLinear = Linear(scope / "last_linear", 1792, Self.dimension, bias: false)
    lastNorm = BatchNorm2d(scope / "last_bn", Self.dimension, epsilon: 1e-3)
  }
}

/// A convolution without bias, its batch norm and a ReLU.
struct InceptionConvolution: Sendable {
  /// Kernel, stride and border.
  enum Shape: Sendable {
    /// Without a border.
    case square(Int, stride: Int = 1)
    /// With a border that keeps the size; height and width are odd.
    case padded(_ height: Int, _ width: Int)
  }

  let unit: ConvNorm

  init(_ scope: Scope, _ inputs: Int, _ outputs: Int, _ shape: Shape) {
    let convolution =
      switch shape {
      case .square(let kernel, let stride):
        Conv2d(
          scope / "conv", inputs, outputs, kernel: Size2d(kernel), stride: stride, bias: false)
      case .padded(let height, let width):
        Conv2d(
          scope / "conv", inputs, outputs, kernel: Size2d(height: height, width: width),
          padding: .explicit(
            top: height / 2, left: width / 2, bottom: height / 2, right: width / 2), bias: false)
      }
    unit = ConvNorm(
      convolution: convolution, norm: NormLayer(scope / "bn", outputs, .batch(epsilon: 1e-3)),
      activation: .relu)
  }
}

/// Convolutions one after the other, or a max pool.
enum InceptionBranch: Sendable {
  case convolutions([InceptionConvolution])
  case maxPool

  /// What a branch is made of.
  enum Spec: Sendable {
    /// One convolution, keyed by the branch's own name.
    case single(_ inputs: Int, _ outputs: Int, InceptionConvolution.Shape)
    /// Several, keyed by their numbers.
    case chain(_ inputs: Int, [(outputs: Int, shape: InceptionConvolution.Shape)])
    case maxPool
  }

  init(_ scope: Scope, _ spec: Spec) {
    switch spec {
    case .single(let inputs, let outputs, let shape):
      self = .convolutions([InceptionConvolution(scope, inputs, outputs, shape)])
    case .chain(var inputs, let links):
      self = .convolutions(
        links.enumerated().map { index, link in
          defer { inputs = link.outputs }
          return InceptionConvolution(scope / index, inputs, link.outputs, link.shape)
        })
    case .maxPool: self = .maxPool
    }
  }
}

/// Branches side by side, joined by a 1x1 convolution whose result, scaled down, is added to the input.
struct InceptionBlock: Sendable {
  /// What a block is made of.
  struct Spec: Sendable {
    var channels: Int
    var branches: [InceptionBranch.Spec]
    var joined: Int
    var scale: Float
    var hasReLU = true

    static let block35 = Spec(
      channels: 256,
      branches: [
        .single(256, 32, .square(1)), .chain(256, [(32, .square(1)), (32, .padded(3, 3))]),
        .chain(256, [(32, .square(1)), (32, .padded(3, 3)), (32, .padded(3, 3))]),
      ], joined: 96, scale: 0.17)
    static let block17 = Spec(
      channels: 896,
      branches: [
        .single(896, 128, .square(1)),
        .chain(896, [(128, .square(1)), (128, .padded(1, 7)), (128, .padded(7, 1))]),
      ], joined: 256, scale: 0.1)
    static let block8 = Spec(
      channels: 1792,
      branches: [
        .single(1792, 192, .square(1)),
        .chain(1792, [(192, .square(1)), (192, .padded(1, 3)), (192, .padded(3, 1))]),
      ], joined: 384, scale: 0.2)
    /// The last block's result is not scaled down and may be negative.
    static let lastBlock8 = Spec(
      channels: 1792, branches: block8.branches, joined: 384, scale: 1, hasReLU: false)
  }

  let branches: [InceptionBranch]
  let join: Conv2d
  let scale: Float
  let hasReLU: Bool

  init(_ scope: Scope, _ spec: Spec) {
    branches = spec.branches.enumerated().map {
      InceptionBranch(scope / "branch\($0)", $1)
    }
    join = Conv2d(scope / "conv2d", spec.joined, spec.channels, kernel: 1)
    scale = spec.scale
    hasReLU = spec.hasReLU
  }
}
