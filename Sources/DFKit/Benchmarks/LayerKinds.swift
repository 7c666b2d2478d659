import Classifiers
import DeepfakeCore
import FaceDetect

/// Sorts a network's layers into kinds, by what its family says of their keys.
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
    if kind == .norm { return "norm" }
    for family in ClassifierFamilies.all {
      if let role = family.layerRole(of: key, isFused: kind == .block, among: keys) { return role }
    }
    for family in DetectorFamilies.all {
      if let part = family.part(ofLayer: key) { return "\(part) \(kind.rawValue)" }
    }
    return kind.rawValue
  }
}
