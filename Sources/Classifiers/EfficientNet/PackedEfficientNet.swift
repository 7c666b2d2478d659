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
    let split = batchedStage(x)
    let early = x.imageByImage { image in
      stages[..<split].joined().reduce(stem(image)) { $1($0) }
    }
    return head(stages[split...].joined().reduce(early) { $1($0) })
  }

  /// The first stage that the images of `x` had better go through together: its weights are so much
  /// larger than its maps that reading them once for all counts for more.
  private func batchedStage(_ x: Tensor) -> Int {
    var pixels = x.shape[1] * x.shape[2] / 4
    for (i, stage) in stages.enumerated() {
      if stage.contains(where: { $0.strides }) { pixels /= 4 }
      if let last = stage.last, last.weightsPerChannel > Self.weightsOverMaps * pixels { return i }
    }
    return stages.count
  }

  /// How many times larger than the maps the weights must be: measured.
  private static let weightsOverMaps = 2

  func logits(pooled: Tensor) -> Tensor { classifier(pooled) }
}
