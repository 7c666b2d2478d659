import DeepfakeCore

/// EfficientNet for inference.
struct PackedEfficientNet: PackedClassifier {
  let classCount: Int
  private let stem: PackedConvNorm
  private let stages: [[PackedMBConv]]
  private let head: PackedConvNorm
  private let classifier: PackedLinear

  /// Packs `network`, whose parameters are released.
  init(_ network: EfficientNet) {
    classCount = network.classCount
    stem = PackedConvNorm(network.stem)
    stages = network.stages.map { $0.map(PackedMBConv.init) }
    head = PackedConvNorm(network.head)
    classifier = PackedLinear(network.classifier)
  }

  func maps(_ x: Tensor) -> [Tensor] {
    var maps = [stem(x)]
    for stage in stages { maps.append(stage.reduce(maps[maps.count - 1]) { $1($0) }) }
    maps.append(head(maps[maps.count - 1]))
    return maps
  }

  func features(_ x: Tensor) -> Tensor {
    head(stages.joined().reduce(stem(x)) { $1($0) })
  }

  func logits(_ x: Tensor) -> Tensor {
    classifier(features(x).globalAveragePool())
  }
}
