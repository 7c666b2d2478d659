import DeepfakeCore

/// Xception (Chollet 2017), with its checkpoints.
struct XceptionFamily: ClassifierFamily {
  let architectures = [Architecture.xception]
  let schemes = [Scheme.timm, .icpr2020dfdc]
  let identifyingKeys: [(scheme: Scheme, keys: [String])] = [
    (.icpr2020dfdc, ["xception.conv1.weight", "xception.last_linear.weight"]),
    (.timm, ["conv1.weight", "block1.rep.0.conv1.weight"]),
  ]

  func input(_ architecture: Architecture, _ scheme: Scheme) -> InputSpec {
    scheme == .icpr2020dfdc
      ? InputSpec(size: 224) : InputSpec(size: 299, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])
  }

  /// The keys of timm's `legacy_xception`. Its first published file names the classifier
  /// `last_linear` and stores 1x1 convolutions as matrices.
  func keys(
    _ architecture: Architecture, _ scheme: Scheme, hasKey: (String) -> Bool
  ) -> KeyMapping {
    let prefix = scheme == .icpr2020dfdc ? "xception." : ""
    let classifier = prefix + "last_linear"
    let isOld = scheme == .icpr2020dfdc || hasKey(classifier + ".weight")
    return KeyMapping(mayHoldMatrices: true) { key in
      isOld && key.hasPrefix("fc.") ? classifier + key.dropFirst("fc".count) : prefix + key
    }
  }

  func layerRole(of key: String, isFused: Bool, among keys: Set<String>) -> String? {
    key == "fc" ? "head" : nil
  }

  func recognises(_ architecture: Architecture, in checkpoint: PublishedKeys) -> Bool {
    checkpoint.shape("block12.rep.4.pointwise.weight") != nil
  }

  func stemKey(_ architecture: Architecture) -> String? { "conv1.weight" }

  func makeNetwork(
    _ settings: ClassifierSettings, dropout: Float?, stochasticDepth: Float?
  ) -> ClassifierNetwork {
    ClassifierNetwork(
      xception: settings.norm, inputs: settings.input.channelCount,
      classCount: settings.classCount, dropout: dropout ?? 0)
  }
}

extension Architecture {
  /// Xception, made for 299 pixels.
  public static let xception = Architecture("xception")
}
