import DeepfakeCore

/// Xception for inference.
struct PackedXception: PackedClassifier {
  private static let entryBlocks = 3

  let classCount: Int
  private let stem: [PackedConvNorm]
  private let blocks: [PackedXceptionBlock]
  private let head: [PackedSeparableConvNorm]
  private let classifier: PackedLinear

  /// Packs `network`, whose parameters are released.
  init(_ network: Xception) {
    classCount = network.classCount
    stem = network.stem.map(PackedConvNorm.init)
    blocks = network.blocks.map(PackedXceptionBlock.init)
    head = network.head.map(PackedSeparableConvNorm.init)
    classifier = PackedLinear(network.classifier)
  }

  func maps(_ x: Tensor) -> [Tensor] {
    var maps = [stem.reduce(x) { $1($0) }]
    for block in blocks { maps.append(block(maps[maps.count - 1])) }
    maps.append(head.reduce(maps[maps.count - 1]) { $1($0) })
    return maps
  }

  func features(_ x: Tensor) -> Tensor {
    // The entry flow's maps are large and its weights small, from there on it is the other way round.
    let entry = x.imageByImage { image in
      blocks[..<Self.entryBlocks].reduce(stem.reduce(image) { $1($0) }) { $1($0) }
    }
    return head.reduce(blocks[Self.entryBlocks...].reduce(entry) { $1($0) }) { $1($0) }
  }

  func logits(pooled: Tensor) -> Tensor { classifier(pooled) }
}

/// A separable convolution with norm and activation, for inference.
struct PackedSeparableConvNorm: Sendable {
  private enum Way: Sendable {
    /// Both convolutions row by row, which spares the maps between them.
    case together(ConvolutionChain, FusedGroupNorm?)
    /// One after the other, which reads large weights less often.
    case apart(PackedConv2d, PackedConvNorm)
  }

  /// The most weights that are read again for each few rows.
  private static let mostWeights = 1024 * 1024

  private let way: Way

  init(_ unit: SeparableConvNorm) {
    let pointwise = unit.pointwise
    let weights = pointwise.convolution.weight.shape.reduce(1, *)
    guard weights <= Self.mostWeights else {
      way = .apart(PackedConv2d(unit.depthwise), PackedConvNorm(pointwise))
      return
    }
    switch pointwise.norm {
    case .batch(let norm):
      let last = ConvolutionChain.Block(
        pointwise.convolution, norm: norm, activation: pointwise.activation)
      way = .together(
        ConvolutionChain([.separable(depthwise: .init(unit.depthwise), pointwise: last)]), nil)
    case .group(let norm):
      let chain = ConvolutionChain([
        .separable(depthwise: .init(unit.depthwise), pointwise: .init(pointwise.convolution))
      ])
      way = .together(chain, FusedGroupNorm(norm, activation: pointwise.activation))
    }
  }

  func callAsFunction(_ x: Tensor, residual: Tensor? = nil) -> Tensor {
    switch way {
    case .together(let chain, nil): chain(x, residual: residual)
    case .together(let chain, let norm?): norm(chain(x), residual: residual)
    case .apart(let depthwise, let pointwise): pointwise(depthwise(x), residual: residual)
    }
  }
}

/// A residual block for inference; whichever branch comes last adds the other as it writes.
struct PackedXceptionBlock: Sendable {
  private let spec: XceptionBlockSpec
  private let units: [PackedSeparableConvNorm]
  private let skip: PackedConvNorm?

  init(_ block: XceptionBlock) {
    spec = block.spec
    units = block.units.map(PackedSeparableConvNorm.init)
    skip = block.skip.map(PackedConvNorm.init)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var y = spec.startsWithReLU ? x.relu() : x
    for (i, unit) in units.enumerated() {
      let addsInput = skip == nil && i == units.count - 1
      y = unit(y, residual: addsInput ? x : nil)
    }
    if spec.stride != 1 { y = y.maxPool(3, stride: Size2d(spec.stride), padding: 1) }
    return skip?(x, residual: y) ?? y
  }
}
