import DeepfakeCore

/// What layers are to their network, from the published keys of its checkpoints.
package struct LayerKinds {
  private let keys: Set<String>

  /// For a network whose layers have those keys.
  package init(keys: Set<String>) {
    self.keys = keys
  }

  /// The name that a table shows: of a block that runs as one, without the layer that its key is
  /// of.
  package func name(of key: String, _ kind: LayerWork.Kind) -> String {
    let suffix = ".conv_dw"
    return kind == .block && key.hasSuffix(suffix) ? String(key.dropLast(suffix.count)) : key
  }

  /// The kind that a table sums the layer under.
  package func kind(of key: String, _ kind: LayerWork.Kind) -> String {
    let parts = key.split(separator: ".").map(String.init)
    let name = parts.last ?? key
    if kind == .norm { return "norm" }
    // Blocks that run as one are told apart by their stage.
    if kind == .block, parts.count > 1, parts[0] == "blocks" { return "stage \(parts[1])" }
    switch name {
    case "conv_stem": return "stem"
    case "conv_head", "classifier", "fc", "last_linear": return "head"
    case "conv_reduce", "conv_expand": return "squeeze"
    case "conv_dw": return "depthwise"
    case "conv_pwl": return "project"
    case "conv_pw":
      // In a block that does not widen, this is the projection.
      let block = parts.dropLast().joined(separator: ".")
      return keys.contains(block + ".conv_pwl") ? "expand" : "project"
    default: break
    }
    // RetinaFace's parts.
    let part: String? =
      switch parts.first {
      case "body": "backbone"
      case "fpn": "pyramid"
      case let first? where first.hasPrefix("ssh"): "context"
      case "ClassHead", "BboxHead", "LandmarkHead": "head"
      default: nil
      }
    return part.map { "\($0) \(kind.rawValue)" } ?? kind.rawValue
  }
}
