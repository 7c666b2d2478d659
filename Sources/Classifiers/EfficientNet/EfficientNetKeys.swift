import DeepfakeCore

/// Maps the keys of this package's EfficientNets, which are timm's, to those of a checkpoint.
struct EfficientNetKeys: Sendable {
  /// The naming convention of the keys after the prefix.
  private enum Style {
    case timm, torchvision, lukemelas
  }

  private let style: Style
  /// Prefix of every key of the checkpoint except the classifier's.
  private let prefix: String
  /// The classifier's name in the checkpoint, including any prefix.
  private let classifier: String
  /// Prefixes of further keys that such checkpoints are known to contain.
  private let extras: [String]
  /// For each stage, the number of blocks in the stages before it.
  private let stageStarts: [Int]

  init(_ scheme: Scheme, _ variant: EfficientNetVariant) {
    (style, prefix, classifier, extras) =
      switch scheme {
      case .torchvision: (.torchvision, "", "classifier.1", [])
      case .lukemelas: (.lukemelas, "", "_fc", [])
      case .selimsef: (.timm, "encoder.", "fc", ["encoder.classifier."])
      case .icpr2020dfdc: (.lukemelas, "efficientnet.", "classifier", [])
      case .sbi: (.lukemelas, "net.", "net._fc", [])
      default: (.timm, "", "classifier", [])
      }
    stageStarts = variant.table.stages.reduce(into: [0]) { starts, stage in
      starts.append((starts.last ?? 0) + stage.repeats)
    }
  }

  var mapping: KeyMapping { KeyMapping(extras: extras, published) }

  private func published(_ key: String) -> String {
    let own = "classifier"
    if key.hasPrefix(own + ".") { return classifier + key.dropFirst(own.count) }
    switch style {
    case .timm: return prefix + key
    case .torchvision: return prefix + torchvision(key)
    case .lukemelas: return prefix + lukemelas(key)
    }
  }

  /// The key of a block's parameter, split up: `blocks.STAGE.INDEX.PART.LEAF`.
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

  /// The function of a block's part. timm's names depend on whether the block widens its input; all
  /// blocks do, except those of the first stage.
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
