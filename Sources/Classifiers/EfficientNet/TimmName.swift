import DeepfakeCore

/// timm's name of an EfficientNet, as training scripts write it into a checkpoint:
/// `tf_efficientnet_b0.ns_jft_in1k`, `tf_efficientnet_b0_ns`, `efficientnet_b0`.
struct TimmName {
  /// `.timmTF` for networks with TensorFlow's padding, otherwise `.timm`.
  let scheme: Scheme
  let architecture: Architecture

  /// Parses a name, with or without a hub's prefix (`timm/...`). Returns nil for any other text.
  init?(_ text: String) {
    guard text.utf8.count <= 200 else { return nil }
    let name = text.lowercased().split(separator: "/").last ?? ""
    let words = name.prefix { $0 != "." }.split(separator: "_").map(String.init)
    let isTensorFlow = words.first == "tf"
    let own = words.dropFirst(isTensorFlow ? 1 : 0)
    guard own.first == "efficientnet", let member = own.dropFirst().first,
      let architecture = Architecture(rawValue: "efficientnet-\(member)")
    else { return nil }
    scheme = isTensorFlow ? .timmTF : .timm
    self.architecture = architecture
  }

  /// The last components of metadata keys that may hold the name, in order of preference.
  private static let keys = StateDict.networkKeys + ["name"]

  /// Reads the name from a file's metadata: from the top level if it is there, otherwise from
  /// nested options (`args.model`). Returns nil if no entry holds a name.
  init?(saidBy metadata: [String: String]) {
    let entries = metadata.compactMap { key, text -> (depth: Int, place: Int, name: TimmName)? in
      let parts = key.split(separator: ".")
      guard let last = parts.last, let place = Self.keys.firstIndex(of: String(last)),
        let name = TimmName(text)
      else { return nil }
      return (parts.count, place, name)
    }
    guard let first = entries.min(by: { ($0.depth, $0.place) < ($1.depth, $1.place) }) else {
      return nil
    }
    self = first.name
  }
}
