import DeepfakeCore

/// EfficientNet B0 to B8 and Lite0 to Lite4 (Tan and Le 2019), with their checkpoints.
struct EfficientNetFamily: ClassifierFamily {
  let architectures = EfficientNetVariant.allCases.map(Architecture.init)
  let schemes: [Scheme] = [
    .timm, .timmTF, .torchvision, .lukemelas, .selimsef, .icpr2020dfdc, .sbi,
  ]
  let stages: ClosedRange<Int>? = 1...EfficientNetVariant.stages.count

  let identifyingKeys: [(scheme: Scheme, keys: [String])] = [
    (.selimsef, ["encoder.conv_stem.weight", "fc.weight"]),
    (.icpr2020dfdc, ["efficientnet._conv_stem.weight", "classifier.weight"]),
    (.sbi, ["net._conv_stem.weight", "net._fc.weight"]),
    (.lukemelas, ["_conv_stem.weight", "_fc.weight"]),
    (.torchvision, ["features.0.0.weight", "features.8.0.weight", "classifier.1.weight"]),
    (.timm, ["conv_stem.weight", "blocks.0.0.conv_dw.weight"]),
    (.timmTF, ["conv_stem.weight", "blocks.0.0.conv_dw.weight"]),
  ]

  func covers(_ architecture: Architecture, _ scheme: Scheme) -> Bool {
    guard let variant = architecture.efficientNet else { return false }
    return switch scheme {
    case .timm, .timmTF, .lukemelas: true
    case .icpr2020dfdc, .selimsef, .sbi: !variant.isLite
    case .torchvision: !variant.isLite && variant != .b8
    default: false
    }
  }

  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec {
    let variant = variant(architecture)
    switch scheme {
    case .selimsef: return InputSpec(size: 380, fit: .letterbox)
    case .icpr2020dfdc: return InputSpec(size: 224)
    case .sbi: return InputSpec(size: 380, mean: [0, 0, 0], std: [1, 1, 1])
    case _ where variant.isLite && scheme != .timm:
      // TensorFlow's Lite networks normalise with (x - 127) / 128.
      return InputSpec(
        size: variant.nativeSize, mean: [Float](repeating: 127.0 / 255, count: 3),
        std: [Float](repeating: 128.0 / 255, count: 3))
    default: return InputSpec(size: variant.nativeSize)
    }
  }

  func layerRole(of key: String, isFused: Bool, among keys: Set<String>) -> String? {
    let parts = key.split(separator: ".").map(String.init)
    if isFused, parts.count > 1, parts[0] == "blocks" { return "stage \(parts[1])" }
    switch parts.last {
    case "conv_stem": return "stem"
    case "conv_head", "classifier": return "head"
    case "conv_reduce", "conv_expand": return "squeeze"
    case "conv_dw": return "depthwise"
    case "conv_pwl": return "project"
    case "conv_pw":
      // A block without an expansion has no `conv_pwl`; its `conv_pw` is the projection.
      let block = parts.dropLast().joined(separator: ".")
      return keys.contains(block + ".conv_pwl") ? "expand" : "project"
    default: return nil
    }
  }

  func batchNormEpsilon(_ architecture: Architecture, _ scheme: Scheme) -> Float {
    switch scheme {
    case .timm: 1e-5
    case .torchvision:
      [.b0, .b1, .b2, .b3, .b4].contains(variant(architecture)) ? 1e-5 : 1e-3
    default: 1e-3
    }
  }

  func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping {
    EfficientNetKeys(scheme, variant(architecture)).mapping
  }

  /// `timm` and `timmTF` have the same keys. The file's metadata decides where it names the network
  /// (`arch: tf_efficientnet_b0`); otherwise the result is `timm`, with a doubt.
  func resolvedScheme(_ scheme: Scheme, in state: StateDict) -> (scheme: Scheme, warning: String?) {
    guard scheme == .timm else { return (scheme, nil) }
    if let name = TimmName(saidBy: state.metadata),
      Architecture.recognised(in: state, name.scheme) == name.architecture
    {
      return (name.scheme, nil)
    }
    guard Architecture.recognised(in: state, .timm) != nil else { return (scheme, nil) }
    return (
      scheme,
      "timm's efficientnet_* and tf_efficientnet_* have the same keys but different padding and"
        + " epsilon. The file does not say which of them it is, so it is read as efficientnet_*."
        + " Use '--scheme timm-tf' for tf_efficientnet_*, or '--scheme timm' to confirm (in a"
        + " recipe: the member's 'scheme')."
    )
  }

  /// Compares the widths of the last convolution and of the stages, the number of blocks of each
  /// stage, and whether the blocks have squeeze and excitation.
  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool {
    let variant = variant(architecture), table = variant.table
    guard checkpoint.shape("conv_head.weight")?.first == table.headChannels,
      (checkpoint.shape("blocks.0.0.se.conv_reduce.weight") == nil) == variant.isLite
    else { return false }
    let present = table.stages.prefix(stageCount(in: checkpoint) ?? 0)
    guard !present.isEmpty else { return false }
    return present.enumerated().allSatisfy { index, stage in
      // A stage is as wide as the last norms of its blocks.
      let count = stage.repeats
      let after = checkpoint.published("blocks.\(index).\(count).conv_dw.weight")
      // Some schemes number the blocks through all stages: there the key after a stage's last block
      // is the first block of the next stage.
      let next = checkpoint.published("blocks.\(index + 1).0.conv_dw.weight")
      let goesOn = index + 1 < present.count && after == next
      return (goesOn || checkpoint.state[after] == nil)
        && checkpoint.shape("blocks.\(index).\(count - 1).\(index == 0 ? "bn2" : "bn3").weight")
          == [stage.channels]
    }
  }

  func stemKey(_ architecture: Architecture) -> String? { "conv_stem.weight" }

  func stageCount(in checkpoint: PublishedKeys) -> Int? {
    EfficientNetVariant.stages.indices.prefix {
      checkpoint.shape("blocks.\($0).0.conv_dw.weight") != nil
    }.count
  }

  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork {
    var configuration = EfficientNetConfiguration(
      variant(settings.architecture), classCount: settings.classCount, norm: settings.norm,
      padding: settings.scheme.padding, stageCount: settings.stages, dropout: dropout)
    configuration.inputChannels = settings.input.channelCount
    if let stochasticDepth { configuration.stochasticDepth = stochasticDepth }
    return ClassifierNetwork(configuration)
  }

  private func variant(_ architecture: Architecture) -> EfficientNetVariant {
    guard let variant = architecture.efficientNet else {
      preconditionFailure("EfficientNet: \(architecture.rawValue) is another family's")
    }
    return variant
  }
}

extension Architecture {
  /// EfficientNet-B0, made for 224 pixels.
  public static let efficientNetB0 = Architecture(.b0)
  /// EfficientNet-B1, made for 240 pixels.
  public static let efficientNetB1 = Architecture(.b1)
  /// EfficientNet-B2, made for 260 pixels.
  public static let efficientNetB2 = Architecture(.b2)
  /// EfficientNet-B3, made for 300 pixels.
  public static let efficientNetB3 = Architecture(.b3)
  /// EfficientNet-B4, made for 380 pixels.
  public static let efficientNetB4 = Architecture(.b4)
  /// EfficientNet-B5, made for 456 pixels.
  public static let efficientNetB5 = Architecture(.b5)
  /// EfficientNet-B6, made for 528 pixels.
  public static let efficientNetB6 = Architecture(.b6)
  /// EfficientNet-B7, made for 600 pixels.
  public static let efficientNetB7 = Architecture(.b7)
  /// EfficientNet-B8, made for 672 pixels.
  public static let efficientNetB8 = Architecture(.b8)
  /// EfficientNet-Lite0, made for 224 pixels.
  public static let efficientNetLite0 = Architecture(.lite0)
  /// EfficientNet-Lite1, made for 240 pixels.
  public static let efficientNetLite1 = Architecture(.lite1)
  /// EfficientNet-Lite2, made for 260 pixels.
  public static let efficientNetLite2 = Architecture(.lite2)
  /// EfficientNet-Lite3, made for 280 pixels.
  public static let efficientNetLite3 = Architecture(.lite3)
  /// EfficientNet-Lite4, made for 300 pixels.
  public static let efficientNetLite4 = Architecture(.lite4)

  /// Creates the architecture of a family member, such as `efficientnet-b0` or
  /// `efficientnet-lite4`.
  package init(_ variant: EfficientNetVariant) {
    self.init("efficientnet-\(variant.rawValue)")
  }

  /// The member of the EfficientNet family; nil for other networks.
  package var efficientNet: EfficientNetVariant? {
    let prefix = "efficientnet-"
    guard rawValue.hasPrefix(prefix) else { return nil }
    return EfficientNetVariant(rawValue: String(rawValue.dropFirst(prefix.count)))
  }
}

extension Scheme {
  /// timm's `tf_efficientnet_bN` and `tf_efficientnet_liteN`: timm's keys, TensorFlow's padding.
  public static let timmTF = Scheme("timm-tf")
  /// torchvision's `efficientnet_bN`, `resnetN` and `resnextN`; for ResNets the same as `timm`.
  public static let torchvision = Scheme("torchvision")
  /// lukemelas's EfficientNet-PyTorch, and the Lite networks of the package
  /// efficientnet-lite-pytorch.
  public static let lukemelas = Scheme("lukemelas")
  /// The winner of the DFDC (github.com/selimsef/dfdc_deepfake_challenge). Crops smaller than the
  /// input are enlarged bilinearly here; its authors used cubic interpolation.
  public static let selimsef = Scheme("selimsef")
  /// Self-blended images (Shiohara and Yamasaki 2022, github.com/mapooon/SelfBlendedImages).
  public static let sbi = Scheme("sbi")

  /// How this scheme's EfficientNets pad the border of convolutions.
  var padding: PaddingMode {
    switch self {
    case .timmTF, .selimsef: .sameFromInput
    case .lukemelas, .icpr2020dfdc, .sbi: .sameFromNativeSize
    default: .symmetric
    }
  }
}
