import DeepfakeCore

/// How the keys of one checkpoint correspond to those of the network, which are timm's.
///
/// A key is written as the checkpoint has it; the inverse is a table over the network's keys, so that
/// nothing is taken for a parameter because it looks like one.
package struct KeyMapping: Sendable {
  /// The convention that keys follow behind the prefix.
  private enum Style {
    case timm, torchvision, lukemelas
  }

  private let style: Style
  /// Before every key (`model.`), where something wraps the network as the scheme has it.
  private let wrapper: String
  /// Behind that, before every key but the classifier's.
  private let prefix: String
  /// What the classifier is called, that prefix included.
  private let classifier: String
  /// What the network calls its classifier.
  private let ownClassifier: String
  /// Beginnings of keys that the checkpoint is known to have beside the network's.
  private let extras: [String]
  /// The number of blocks before each stage.
  private let stageStarts: [Int]

  /// The mapping to a checkpoint's keys.
  package init(_ scheme: Scheme, _ architecture: Architecture, for state: StateDict) {
    self.init(scheme, architecture, wrapper: scheme.wrapper(in: state)) { state[$0] != nil }
  }

  /// The mapping of `scheme`, which covers `architecture`; `hasKey` tells what the checkpoint holds.
  package init(
    _ scheme: Scheme, _ architecture: Architecture, wrapper: String = "",
    hasKey: (String) -> Bool
  ) {
    self.wrapper = wrapper
    precondition(
      scheme.covers(architecture), "KeyMapping: \(scheme) has no \(architecture.rawValue)")
    var starts = [0]
    if let variant = architecture.efficientNet {
      for stage in EfficientNetVariant.stages.indices {
        starts.append(starts[starts.count - 1] + variant.blockCount(ofStage: stage))
      }
    }
    stageStarts = starts
    var prefix = ""
    var extras: [String] = []
    let isXception = architecture == .xception
    ownClassifier = isXception ? "fc" : "classifier"
    switch scheme {
    case .timm where isXception:
      style = .timm
      classifier = hasKey(wrapper + "last_linear.weight") ? "last_linear" : "fc"
    case .timm, .timmTF:
      style = .timm
      classifier = "classifier"
    case .torchvision:
      style = .torchvision
      classifier = "classifier.1"
    case .lukemelas:
      style = .lukemelas
      classifier = "_fc"
    case .selimsef:
      style = .timm
      prefix = "encoder."
      classifier = "fc"
      extras = ["encoder.classifier."]
    case .icpr2020dfdc where isXception:
      style = .timm
      prefix = "xception."
      classifier = "xception.last_linear"
    case .icpr2020dfdc:
      style = .lukemelas
      prefix = "efficientnet."
      classifier = "classifier"
    case .sbi:
      style = .lukemelas
      prefix = "net."
      classifier = "net._fc"
    }
    self.prefix = prefix
    self.extras = extras
  }

  /// The checkpoint's name for the network's parameter `key`.
  package func published(_ key: String) -> String {
    if key.hasPrefix(ownClassifier + ".") {
      return wrapper + classifier + key.dropFirst(ownClassifier.count)
    }
    switch style {
    case .timm: return wrapper + prefix + key
    case .torchvision: return wrapper + prefix + torchvision(key)
    case .lukemelas: return wrapper + prefix + lukemelas(key)
    }
  }

  /// Whether the checkpoint's `key` is one of those that its kind has and the network has no place
  /// for.
  package func isKnownExtra(_ key: String) -> Bool {
    key.hasSuffix(".num_batches_tracked") || Familiarity.tensorKeys.contains(key)
      || extras.contains { key.hasPrefix(wrapper + $0) }
  }

  /// A parameter of a block: `blocks.S.I.part.leaf`.
  private struct BlockKey {
    var stage: Int
    var index: Int
    var part: String
    var leaf: Substring

    init?(_ key: String) {
      let parts = key.split(separator: ".")
      guard parts.count >= 5, parts[0] == "blocks", let stage = Int(parts[1]),
        let index = Int(parts[2]), let leaf = parts.last
      else { return nil }
      self.stage = stage
      self.index = index
      self.leaf = leaf
      part = parts[3..<parts.count - 1].joined(separator: ".")
    }
  }

  /// What the parts of a block are. timm's names depend on whether the block widens, which all but
  /// those of the first stage do.
  private enum Role {
    case expand, expandNorm, depthwise, depthwiseNorm, reduce, excite, project, projectNorm

    init?(_ part: String, expands: Bool) {
      switch part {
      case "conv_pw": self = expands ? .expand : .project
      case "bn1": self = expands ? .expandNorm : .depthwiseNorm
      case "conv_dw": self = .depthwise
      case "bn2": self = expands ? .depthwiseNorm : .projectNorm
      case "se.conv_reduce": self = .reduce
      case "se.conv_expand": self = .excite
      case "conv_pwl": self = .project
      case "bn3": self = .projectNorm
      default: return nil
      }
    }
  }

  private func torchvision(_ key: String) -> String {
    guard let block = BlockKey(key) else {
      return replacingHead(
        of: key,
        [
          "conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "features.8.0",
          "bn2": "features.8.1",
        ])
    }
    let expands = block.stage > 0
    guard let role = Role(block.part, expands: expands) else { return key }
    let place = expands ? 1 : 0
    let part =
      switch role {
      case .expand: "0.0"
      case .expandNorm: "0.1"
      case .depthwise: "\(place).0"
      case .depthwiseNorm: "\(place).1"
      case .reduce: "\(place + 1).fc1"
      case .excite: "\(place + 1).fc2"
      case .project: "\(place + 2).0"
      case .projectNorm: "\(place + 2).1"
      }
    return "features.\(block.stage + 1).\(block.index).block.\(part).\(block.leaf)"
  }

  private func lukemelas(_ key: String) -> String {
    guard let block = BlockKey(key), block.stage < stageStarts.count else {
      return replacingHead(
        of: key,
        ["conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"])
    }
    guard let role = Role(block.part, expands: block.stage > 0) else { return key }
    let part =
      switch role {
      case .expand: "_expand_conv"
      case .expandNorm: "_bn0"
      case .depthwise: "_depthwise_conv"
      case .depthwiseNorm: "_bn1"
      case .reduce: "_se_reduce"
      case .excite: "_se_expand"
      case .project: "_project_conv"
      case .projectNorm: "_bn2"
      }
    return "_blocks.\(stageStarts[block.stage] + block.index).\(part).\(block.leaf)"
  }

  private func replacingHead(of key: String, _ names: [String: String]) -> String {
    let parts = key.split(separator: ".", maxSplits: 1)
    guard parts.count == 2, let name = names[String(parts[0])] else { return key }
    return "\(name).\(parts[1])"
  }
}
