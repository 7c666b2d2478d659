import DeepfakeCore

/// The name that timm has for an EfficientNet, as training scripts write it beside the weights:
/// `tf_efficientnet_b0.ns_jft_in1k`, `tf_efficientnet_b0_ns`, `efficientnet_b0`.
struct TimmName {
  /// `.timmTF` for the networks with TensorFlow's padding, else `.timm`.
  let scheme: Scheme
  let architecture: Architecture

  /// nil for every other text. Where the name stands in a hub (`timm/...`) does not matter.
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

  /// The last parts of the keys of metadata that may have the name; the first that has one counts.
  private static let keys = StateDict.networkKeys + ["name"]

  /// What a file says of itself: at its top level, else in the options that are kept with it
  /// (`args.model`).
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
