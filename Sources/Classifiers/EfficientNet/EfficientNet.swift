import DeepfakeCore

/// EfficientNet (Tan and Le 2019), B0 to B8 and Lite0 to Lite4, under timm's keys.
public struct EfficientNet: ClassifierNetwork {
  /// What the network is, its weights aside.
  public let configuration: EfficientNetConfiguration
  /// The parameters.
  public let store: ParameterStore

  let stem: ConvNorm
  let stages: [[MBConv]]
  let head: ConvNorm
  let classifier: Linear
  private let dropout: Dropout

  /// A network without weights: load some, or initialise its store.
  public init(_ configuration: EfficientNetConfiguration) {
    self.configuration = configuration
    let plan = configuration.plan
    let norm = configuration.norm
    store = ParameterStore()
    let scope = store.root
    stem = ConvNorm(
      convolution: Conv2d(
        scope / "conv_stem", 3, plan.stemChannels, kernel: 3, stride: 2,
        padding: plan.stemPadding, bias: false),
      norm: NormLayer(scope / "bn1", plan.stemChannels, norm), activation: plan.activation)
    stages = plan.stages.enumerated().map { s, blocks in
      blocks.enumerated().map { i, spec in
        MBConv(scope / "blocks" / s / i, spec, norm: norm)
      }
    }
    let lastChannels = plan.stages.last?.last?.outChannels ?? plan.stemChannels
    head = ConvNorm(
      convolution: Conv2d(
        scope / "conv_head", lastChannels, plan.headChannels, kernel: 1, bias: false),
      norm: NormLayer(scope / "bn2", plan.headChannels, norm), activation: plan.activation)
    dropout = Dropout(scope / "dropout", configuration.dropout)
    classifier = Linear(scope / "classifier", plan.headChannels, configuration.classCount)
  }

  /// Outputs.
  public var classCount: Int { configuration.classCount }

  /// After the stem, after each stage, after the head.
  public func maps(_ x: Tensor, _ mode: Mode) -> [Tensor] {
    var maps = [stem(x, mode)]
    for stage in stages { maps.append(stage.reduce(maps[maps.count - 1]) { $1.asBlock($0, mode) }) }
    maps.append(head(maps[maps.count - 1], mode))
    return maps
  }

  /// The maps that the classifier pools, [batch, height / 32, width / 32, channels]; with all seven stages.
  public func features(_ x: Tensor, _ mode: Mode) -> Tensor {
    let last = stages.joined().reduce(stem(x, mode)) { $1.asBlock($0, mode) }
    return head(last, mode)
  }

  /// Logits, [batch, classCount].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    outputs(features(x, mode), mode)
  }

  /// The outputs that the maps of a depth lead to; 0 is the stem's.
  public func logits(fromMap map: Tensor, at depth: Int, _ mode: Mode) -> Tensor {
    guard depth <= stages.count else { return outputs(map, mode) }
    let last = stages.dropFirst(depth).joined().reduce(map) { $1.asBlock($0, mode) }
    return outputs(head(last, mode), mode)
  }

  private func outputs(_ features: Tensor, _ mode: Mode) -> Tensor {
    classifier(dropout(features.globalAveragePool(), mode), mode)
  }

  /// The form for inference.
  public func packed() -> any PackedClassifier { PackedEfficientNet(self) }
}
