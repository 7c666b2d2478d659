import DeepfakeCore

/// ResNet (He et al. 2016) and ResNeXt (Xie et al. 2017) in torchvision's form: the 3x3 convolution
/// of a block has its stride.
struct ResNetFamily: ClassifierFamily {
  private static let tables: [(architecture: Architecture, table: ResNetTable)] = [
    (.resNet50, ResNetTable(blocks: [3, 4, 6, 3])),
    (.resNet101, ResNetTable(blocks: [3, 4, 23, 3])),
    (.resNeXt50_32x4d, ResNetTable(blocks: [3, 4, 6, 3], groups: 32, groupWidth: 4)),
    (.resNeXt101_32x8d, ResNetTable(blocks: [3, 4, 23, 3], groups: 32, groupWidth: 8)),
    (.resNeXt101_32x16d, ResNetTable(blocks: [3, 4, 23, 3], groups: 32, groupWidth: 16)),
    (.resNeXt101_32x32d, ResNetTable(blocks: [3, 4, 23, 3], groups: 32, groupWidth: 32)),
    (.resNeXt101_32x48d, ResNetTable(blocks: [3, 4, 23, 3], groups: 32, groupWidth: 48)),
  ]

  let architectures = Self.tables.map(\.architecture)
  /// The two have the same keys and the same networks.
  let schemes = [Scheme.timm, .torchvision]
  let identifyingKeys: [(scheme: Scheme, keys: [String])] = [Scheme.timm, .torchvision].map {
    ($0, ["conv1.weight", "layer1.0.conv3.weight", "layer1.0.downsample.0.weight", "fc.weight"])
  }

  func stemKey(_ architecture: Architecture) -> String? { "conv1.weight" }

  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec { InputSpec(size: 224) }

  func layerRole(of key: String, isFused: Bool, among keys: Set<String>) -> String? {
    if key == "conv1" { return "stem" }
    if key == "fc" { return "head" }
    guard key.hasPrefix("layer") else { return nil }
    if key.hasSuffix(".downsample.0") { return "skip" }
    return switch key.split(separator: ".").last {
    case "conv1": "reduce"
    case "conv2": "3x3"
    case "conv3": "expand"
    default: nil
    }
  }

  /// Compares the widths of the 3x3 convolutions, the channels of their groups, and the number of
  /// blocks of each stage.
  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool {
    guard let table = table(architecture) else { return false }
    return table.blocks.enumerated().allSatisfy { stage, count in
      let width = table.width(stage)
      return checkpoint.shape("layer\(stage + 1).0.conv2.weight")?.prefix(2)
        == [width, width / table.groups]
        && checkpoint.shape("layer\(stage + 1).\(count - 1).conv3.weight") != nil
        && checkpoint.shape("layer\(stage + 1).\(count).conv3.weight") == nil
    }
  }

  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork {
    guard let table = table(settings.architecture) else {
      preconditionFailure("ResNet: \(settings.architecture.rawValue) is another family's")
    }
    return ClassifierNetwork(
      resNet: table, norm: settings.norm, inChannels: settings.input.channelCount,
      classCount: settings.classCount, dropout: dropout ?? 0, depth: stochasticDepth ?? 0)
  }

  private func table(_ architecture: Architecture) -> ResNetTable? {
    Self.tables.first { $0.architecture == architecture }?.table
  }
}

extension Architecture {
  /// ResNet-50, 26 million parameters, made for 224 pixels.
  public static let resNet50 = Architecture("resnet50")
  /// ResNet-101, 45 million parameters, made for 224 pixels.
  public static let resNet101 = Architecture("resnet101")
  /// ResNeXt-50 32x4d, 25 million parameters, made for 224 pixels.
  public static let resNeXt50_32x4d = Architecture("resnext50-32x4d")
  /// ResNeXt-101 32x8d, 89 million parameters, made for 224 pixels.
  public static let resNeXt101_32x8d = Architecture("resnext101-32x8d")
  /// ResNeXt-101 32x16d, 194 million parameters, made for 224 pixels.
  public static let resNeXt101_32x16d = Architecture("resnext101-32x16d")
  /// ResNeXt-101 32x32d, 469 million parameters, made for 224 pixels.
  public static let resNeXt101_32x32d = Architecture("resnext101-32x32d")
  /// ResNeXt-101 32x48d, 829 million parameters, made for 224 pixels.
  public static let resNeXt101_32x48d = Architecture("resnext101-32x48d")
}
