import DeepfakeCore

/// All that defines an Xception but its weights.
public struct XceptionConfiguration: Sendable, Equatable {
  /// Outputs.
  public var classCount: Int
  /// The norm everywhere.
  public var norm: Norm
  /// The probability of dropout before the classifier, in training.
  public var dropout: Float

  /// The published network, without dropout, unless told otherwise.
  public init(classCount: Int = 1, norm: Norm = .batch, dropout: Float = 0) {
    precondition(classCount > 0, "Xception: \(classCount) classes")
    self.classCount = classCount
    self.norm = norm
    self.dropout = dropout
  }
}

/// A row of Xception's table of blocks.
struct XceptionBlockSpec: Sendable, Equatable {
  var inChannels: Int
  var outChannels: Int
  var units: Int
  var stride: Int
  /// Whether a ReLU comes first; the skip connection branches off before it.
  var startsWithReLU = true
  /// Whether the first unit widens, or the last.
  var growsFirst = true

  var hasSkipConvolution: Bool { stride != 1 || inChannels != outChannels }

  /// Blocks 1 to 12.
  static let table: [XceptionBlockSpec] =
    [
      .init(inChannels: 64, outChannels: 128, units: 2, stride: 2, startsWithReLU: false),
      .init(inChannels: 128, outChannels: 256, units: 2, stride: 2),
      .init(inChannels: 256, outChannels: 728, units: 2, stride: 2),
    ]
    + Array(
      repeating: .init(inChannels: 728, outChannels: 728, units: 3, stride: 1), count: 8)
    + [.init(inChannels: 728, outChannels: 1024, units: 2, stride: 2, growsFirst: false)]
}

/// Xception (Chollet 2017) in the PyTorch port that published detectors use, under the keys of timm's
/// `legacy_xception`. Its first two convolutions have no padding.
public struct Xception: ClassifierNetwork {
  /// What the network is, its weights aside.
  public let configuration: XceptionConfiguration
  /// The parameters.
  public let store: ParameterStore

  let stem: [ConvNorm]
  let blocks: [XceptionBlock]
  let head: [SeparableConvNorm]
  let classifier: Linear
  private let dropout: Dropout

  /// A network without weights: load some, or initialise its store.
  public init(_ configuration: XceptionConfiguration) {
    self.configuration = configuration
    let norm = configuration.norm
    store = ParameterStore()
    let scope = store.root
    func plain(_ n: Int, _ inChannels: Int, _ outChannels: Int, stride: Int) -> ConvNorm {
      ConvNorm(
        convolution: Conv2d(
          scope / "conv\(n)", inChannels, outChannels, kernel: 3, stride: stride, bias: false),
        norm: NormLayer(scope / "bn\(n)", outChannels, norm), activation: .relu)
    }
    stem = [plain(1, 3, 32, stride: 2), plain(2, 32, 64, stride: 1)]
    blocks = XceptionBlockSpec.table.enumerated().map { i, spec in
      XceptionBlock(scope / "block\(i + 1)", spec, norm: norm)
    }
    func separable(_ n: Int, _ inChannels: Int, _ outChannels: Int) -> SeparableConvNorm {
      SeparableConvNorm(
        scope / "conv\(n)", norm: NormLayer(scope / "bn\(n)", outChannels, norm), inChannels,
        outChannels, activation: .relu)
    }
    head = [separable(3, 1024, 1536), separable(4, 1536, 2048)]
    dropout = Dropout(scope / "dropout", configuration.dropout)
    classifier = Linear(scope / "fc", 2048, configuration.classCount)
  }

  /// Outputs.
  public var classCount: Int { configuration.classCount }

  /// After the stem, after each of the twelve blocks, after the head.
  public func maps(_ x: Tensor, _ mode: Mode) -> [Tensor] {
    var maps = [stem.reduce(x) { $1($0, mode) }]
    for block in blocks { maps.append(block.asBlock(maps[maps.count - 1], mode)) }
    maps.append(head.reduce(maps[maps.count - 1]) { $1($0, mode) })
    return maps
  }

  /// The maps that the classifier pools, [batch, height / 32, width / 32, 2048].
  public func features(_ x: Tensor, _ mode: Mode) -> Tensor {
    let entry = stem.reduce(x) { $1($0, mode) }
    return head.reduce(blocks.reduce(entry) { $1.asBlock($0, mode) }) { $1($0, mode) }
  }

  /// Logits, [batch, classCount].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    outputs(features(x, mode), mode)
  }

  /// The outputs that the maps of a depth lead to; 0 is the stem's.
  public func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    guard depth <= blocks.count else { return outputs(map, mode) }
    let last = blocks.dropFirst(depth).reduce(map) { $1.asBlock($0, mode) }
    return outputs(head.reduce(last) { $1($0, mode) }, mode)
  }

  private func outputs(_ features: Tensor, _ mode: Mode) -> Tensor {
    classifier(dropout(features.globalAveragePool(), mode), mode)
  }

  /// The form for inference.
  public func packed() -> any PackedClassifier { PackedXception(self) }
}
