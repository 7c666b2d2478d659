import DeepfakeCore

/// Sorts a network's layers into kinds, by the keys of its published checkpoints.
package struct LayerKinds {
  private let keys: Set<String>

  /// Takes the keys of all layers of the network.
  package init(keys: Set<String>) {
    self.keys = keys
  }

  /// The layer's name in a table. Several layers fused into one have the key of their depthwise
  /// convolution; the name is then the block's, without `.conv_dw`.
  package func name(of key: String, _ kind: LayerWork.Kind) -> String {
    let suffix = ".conv_dw"
    return kind == .block && key.hasSuffix(suffix) ? String(key.dropLast(suffix.count)) : key
  }

  /// The kind under which a table sums up the layer.
  package func kind(of key: String, _ kind: LayerWork.Kind) -> String {
    let parts = key.split(separator: ".").map(String.init)
    let name = parts.last ?? key
    if kind == .norm { return "norm" }
    // Fused blocks are summed up by stage.
    if kind == .block, parts.count > 1, parts[0] == "blocks" { return "stage \(parts[1])" }
    switch name {
    case "conv_stem": return "stem"
    case "conv_head", "classifier", "fc", "last_linear": return "head"
    case "conv_reduce", "conv_expand": return "squeeze"
    case "conv_dw": return "depthwise"
    case "conv_pwl": return "project"
    case "conv_pw":
      // A block without an expansion has no `conv_pwl`; its `conv_pw` is the projection.
      let block = parts.dropLast().joined(separator: ".")
      return keys.contains(block + ".conv_pwl") ? "expand" : "project"
    default: break
    }
    // The parts of RetinaFace.
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
