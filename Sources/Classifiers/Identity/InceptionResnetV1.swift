import DeepfakeCore

/// Inception-ResNet-v1 (Szegedy et al. 2016) with the weights and keys that facenet-pytorch
/// publishes for faces. It is for inference only, without dropout and without the classifier of the
/// people in the training set.
struct InceptionResnetV1: Module {
  static let dimension = 512
  /// Keys of the classifier of the training set's people. Published files hold it; embeddings do
  /// not need it.
  static let unusedKeys = ["logits.weight", "logits.bias"]

  let store: ParameterStore
  private let layers: any Module
  private let last: any Module
  private let isPacked: Bool

  /// Creates a network without weights; load a checkpoint before use.
  init() {
    store = ParameterStore()
    let scope = store.root
    func layer(
      _ name: String, _ inputs: Int, _ outputs: Int, _ shape: InceptionShape
    ) -> any Module {
      ConvNorm(inception: scope / name, inputs, outputs, shape)
    }
    func repeated(_ name: String, _ count: Int, _ spec: InceptionBlock.Spec) -> [any Module] {
      (0..<count).map { InceptionBlock(scope / name / $0, spec) }
    }
    func reduction(_ name: String, _ branches: [InceptionBranch]) -> any Module {
      Branches(inception: scope / name, branches)
    }
    var layers: [any Module] = [
      layer("conv2d_1a", 3, 32, .square(3, stride: 2)), layer("conv2d_2a", 32, 32, .square(3)),
      layer("conv2d_2b", 32, 64, .padded(3, 3)), InceptionBranch.maxPooling,
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
    layers.append(InceptionBlock(scope / "block8", .lastBlock8))
    self.layers = layers
    last =
      [
        Linear(scope / "last_linear", 1792, Self.dimension, bias: false),
        BatchNorm2d(scope / "last_bn", Self.dimension, epsilon: 1e-3),
      ] as [any Module]
    isPacked = false
  }

  private init(packing network: InceptionResnetV1) {
    isPacked = true
    store = network.store
    layers = network.layers.forInference()
    last = network.last.forInference()
  }

  /// The network packed for inference. This network's parameters are released.
  func packed() -> InceptionResnetV1 { InceptionResnetV1(packing: self) }

  /// The last norm's output, [batch, 512], before scaling to length 1, for x of [batch, height,
  /// width, 3].
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let maps = isPacked ? x.imageByImage { layers($0, mode) } : layers(x, mode)
    return last(maps.globalAveragePool(), mode)
  }
}

/// A convolution's kernel, stride and padding.
enum InceptionShape: Sendable {
  /// A square kernel without padding.
  case square(Int, stride: Int = 1)
  /// A kernel with padding that keeps the size of the maps; height and width are odd.
  case padded(_ height: Int, _ width: Int)
}

extension ConvNorm {
  /// A convolution without bias, its batch norm and a ReLU.
  fileprivate init(inception scope: Scope, _ inputs: Int, _ outputs: Int, _ shape: InceptionShape) {
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
    self.init(
      convolution: convolution, norm: NormLayer(scope / "bn", outputs, .batch(epsilon: 1e-3)),
      activation: .relu)
  }
}

/// The layers of a branch.
enum InceptionBranch: Sendable {
  /// One convolution, with the branch's own name as its key.
  case single(_ inputs: Int, _ outputs: Int, InceptionShape)
  /// Several convolutions in sequence, with their indices as keys.
  case chain(_ inputs: Int, [(outputs: Int, shape: InceptionShape)])
  case maxPool

  static let maxPooling = FunctionLayer { $0.maxPool(3, stride: 2) }

  fileprivate func layers(_ scope: Scope) -> [any Module] {
    switch self {
    case .single(let inputs, let outputs, let shape):
      return [ConvNorm(inception: scope, inputs, outputs, shape)]
    case .chain(var inputs, let links):
      return links.enumerated().map { index, link in
        defer { inputs = link.outputs }
        return ConvNorm(inception: scope / index, inputs, link.outputs, link.shape)
      }
    case .maxPool: return [Self.maxPooling]
    }
  }
}

extension Branches {
  fileprivate init(inception scope: Scope, _ branches: [InceptionBranch]) {
    self.init(branches.enumerated().map { $1.layers(scope / "branch\($0)") })
  }
}

/// Parallel branches. A 1x1 convolution joins them; its result, multiplied by `scale`, is added to
/// the input.
struct InceptionBlock: Module {
  /// The shape of a block.
  struct Spec: Sendable {
    var channels: Int
    var branches: [InceptionBranch]
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
    /// The last block does not scale its result and has no ReLU.
    static let lastBlock8 = Spec(
      channels: 1792, branches: block8.branches, joined: 384, scale: 1, hasReLU: false)
  }

  private let branches: any Module
  private let join: any Module
  private let convolution: Conv2d
  private let scale: Float
  private let hasReLU: Bool

  init(_ scope: Scope, _ spec: Spec) {
    branches = Branches(inception: scope, spec.branches)
    convolution = Conv2d(scope / "conv2d", spec.joined, spec.channels, kernel: 1)
    join = convolution
    scale = spec.scale
    hasReLU = spec.hasReLU
  }

  /// Packs a block for inference: the joining convolution's weights include `scale`, and its kernel
  /// adds the input.
  private init(packing block: InceptionBlock) {
    branches = block.branches.forInference()
    convolution = block.convolution
    for parameter in [convolution.weight, convolution.bias].compactMap({ $0 }) {
      parameter.value = parameter.value * block.scale
    }
    join = convolution.forInference()
    scale = 1
    hasReLU = block.hasReLU
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let joined = branches(x, mode)
    let y = scale == 1 ? join(joined, adding: x, mode) : join(joined, mode) * scale + x
    return hasReLU ? y.relu() : y
  }

  func forInference() -> any Module { InceptionBlock(packing: self) }
}
