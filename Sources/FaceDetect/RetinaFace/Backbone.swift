import DeepfakeCore

/// The backbone of RetinaFace, which computes the features for its pyramid.
package enum RetinaFaceBackbone: String, Sendable, CaseIterable {
  /// MobileNet v1 (Howard et al. 2017) at a quarter of its width: 0.4 million parameters, the
  /// faster one.
  case mobileNet = "mobilenet0.25"
  /// ResNet-50 (He et al. 2016): 27 million parameters, finds more of the difficult faces.
  case resNet50 = "resnet50"

  /// The channels of its three feature maps, the finest first.
  var featureChannels: [Int] {
    switch self {
    case .mobileNet: [64, 128, 256]
    case .resNet50: [512, 1024, 2048]
    }
  }

  /// The channels of the feature pyramid and of the heads.
  var pyramidChannels: Int {
    switch self {
    case .mobileNet: 64
    case .resNet50: 256
    }
  }

  /// Memory for activations, in bytes per pixel of a frame. It limits the size of batches and
  /// frames.
  var bytesPerPixel: Int {
    switch self {
    case .mobileNet: 48
    case .resNet50: 256
    }
  }
}

/// A backbone of three stages. Each stage ends with a feature map, at strides 8, 16 and 32.
struct Backbone<Block: ConvolutionBlock>: Sendable {
  /// A layer of a stage.
  enum Layer: Sendable {
    case block(Block)
    case maxPool
    case bottleneck(Bottleneck<Block>)
    /// Several convolutions fused for inference.
    case chain(ConvolutionChain)
  }

  let stages: [[Layer]]

  /// The feature maps, finest first.
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> [Tensor] {
    var x = x
    return stages.map { stage in
      for layer in stage { x = layer(x, mode) }
      return x
    }
  }
}

extension Backbone.Layer: Module {
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    switch self {
    case .block(let block): block(x, mode)
    case .maxPool: x.maxPool(3, stride: 2, padding: 1)
    case .bottleneck(let bottleneck): bottleneck(x, mode)
    case .chain(let chain): chain(x)
    }
  }

  func map<Other>(_ transform: (Block) -> Other) -> Backbone<Other>.Layer {
    switch self {
    case .block(let block): .block(transform(block))
    case .maxPool: .maxPool
    case .bottleneck(let bottleneck): .bottleneck(bottleneck.map(transform))
    case .chain(let chain): .chain(chain)
    }
  }
}

extension Backbone<BatchNormConvolution> {
  /// Creates the backbone with its parameters in `scope`.
  init(_ kind: RetinaFaceBackbone, _ scope: Scope) {
    switch kind {
    case .mobileNet: self.init(stages: Self.mobileNet(scope))
    case .resNet50: self.init(stages: Self.resNet50(scope))
    }
  }

  /// One depthwise separable convolution: output channels and stride.
  private typealias Separable = (output: Int, stride: Int)

  private static func mobileNet(_ scope: Scope) -> [[Layer]] {
    let activation = Activation.leakyReLU(slope: 0.1)
    let stem = BatchNormConvolution(
      scope / "stage1" / 0, 3, 8, kernel: 3, stride: 2, activation: activation)
    let table: [(name: String, firstIndex: Int, blocks: [Separable])] = [
      ("stage1", 1, [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]),
      ("stage2", 0, [(128, 2), (128, 1), (128, 1), (128, 1), (128, 1), (128, 1)]),
      ("stage3", 0, [(256, 2), (256, 1)]),
    ]
    var channels = 8
    var stages = table.map { stage in
      stage.blocks.enumerated().flatMap { index, block -> [Layer] in
        let scope = scope / stage.name / (stage.firstIndex + index)
        defer { channels = block.output }
        return [
          .block(
            BatchNormConvolution(
              scope, channels, channels, kernel: 3, stride: block.stride, groups: channels,
              activation: activation)),
          .block(
            BatchNormConvolution(
              scope, first: 3, channels, block.output, kernel: 1, activation: activation)),
        ]
      }
    }
    stages[0].insert(.block(stem), at: 0)
    return stages
  }

  private static func resNet50(_ scope: Scope) -> [[Layer]] {
    let stem = BatchNormConvolution(
      conv: scope / "conv1", norm: scope / "bn1", 3, 64, kernel: 7, stride: 2, activation: .relu)
    let table: [(name: String, width: Int, blocks: Int, stride: Int)] = [
      ("layer1", 64, 3, 1), ("layer2", 128, 4, 2), ("layer3", 256, 6, 2), ("layer4", 512, 3, 2),
    ]
    var channels = 64
    let layers = table.map { row in
      (0..<row.blocks).map { index -> Layer in
        let block = Bottleneck(
          scope / row.name / index, channels, width: row.width, stride: index == 0 ? row.stride : 1)
        channels = 4 * row.width
        return .bottleneck(block)
      }
    }
    return [[.block(stem), .maxPool] + layers[0] + layers[1], layers[2], layers[3]]
  }
}

/// ResNet's residual block: a 1x1 convolution that narrows, a 3x3 convolution (with the stride, as
/// in torchvision), a 1x1 convolution that widens, plus the input. A projection adapts the input
/// where its shape changes.
struct Bottleneck<Block: ConvolutionBlock>: Module {
  let reduce, spatial, expand: Block
  let projection: Block?

  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    let identity = projection.map { $0(x, mode) } ?? x
    return expand.relu(spatial(reduce(x, mode), mode), adding: identity, mode)
  }

  func map<Other>(_ transform: (Block) -> Other) -> Bottleneck<Other> {
    Bottleneck<Other>(
      reduce: transform(reduce), spatial: transform(spatial), expand: transform(expand),
      projection: projection.map(transform))
  }
}

extension Bottleneck<BatchNormConvolution> {
  init(_ scope: Scope, _ input: Int, width: Int, stride: Int) {
    reduce = BatchNormConvolution(
      conv: scope / "conv1", norm: scope / "bn1", input, width, kernel: 1, activation: .relu)
    spatial = BatchNormConvolution(
      conv: scope / "conv2", norm: scope / "bn2", width, width, kernel: 3, stride: stride,
      activation: .relu)
    expand = BatchNormConvolution(
      conv: scope / "conv3", norm: scope / "bn3", width, 4 * width, kernel: 1,
      activation: .identity)
    projection =
      stride == 1 && input == 4 * width
      ? nil
      : BatchNormConvolution(
        scope / "downsample", input, 4 * width, kernel: 1, stride: stride, activation: .identity)
  }
}
