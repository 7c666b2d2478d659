import DeepfakeCore

extension Scheme {
  /// The scheme whose keys the checkpoint has, possibly behind a common prefix (`model.`); nil if
  /// none fits.
  ///
  /// If several schemes have the same keys, the file's metadata may decide. If it does not, the
  /// result is the family's default, and `doubt(in:)` reports it.
  public static func recognised(in state: StateDict) -> Scheme? {
    resolvedScheme(in: state)?.scheme
  }

  /// A sentence for users about what was guessed to determine the scheme; nil if nothing was.
  public static func warning(in state: StateDict) -> String? { resolvedScheme(in: state)?.warning }

  private static func resolvedScheme(in state: StateDict) -> (scheme: Scheme, warning: String?)? {
    for prefix in state.wrappers {
      for family in ClassifierFamilies.all {
        if let mark = family.identifyingKeys.first(where: { state.has($0.keys, prefix) }) {
          return family.resolvedScheme(mark.scheme, in: state)
        }
      }
    }
    return nil
  }

  /// The common prefix before the scheme's keys in the checkpoint: usually "", or `model.`.
  func wrapper(in state: StateDict) -> String {
    let own = ClassifierFamilies.all.flatMap(\.identifyingKeys).filter { $0.scheme == self }
    return state.wrappers.first { prefix in own.contains { state.has($0.keys, prefix) } } ?? ""
  }
}

extension StateDict {
  /// Prefixes that may come before the keys of a network.
  fileprivate var wrappers: [String] { commonPrefixes(others: Familiarity.tensorKeys) }

  fileprivate func has(_ keys: [String], _ prefix: String) -> Bool {
    keys.allSatisfy { self[prefix + $0] != nil }
  }

  /// The tensors with the scheme's keys, without their common prefix.
  public func unwrapped(_ scheme: Scheme) -> StateDict {
    strippingCommonPrefix(scheme.wrapper(in: self), others: Familiarity.tensorKeys)
  }
}

extension Architecture {
  /// The architecture whose layers the checkpoint of that scheme has; nil if none fits.
  public static func recognised(in state: StateDict, _ scheme: Scheme) -> Architecture? {
    let wrapper = scheme.wrapper(in: state)
    for family in ClassifierFamilies.all {
      let found = family.architectures.first { architecture in
        guard family.covers(architecture, scheme) else { return false }
        let mapping = KeyMapping(scheme, architecture, wrapper: wrapper) { state[$0] != nil }
        return family.recognises(architecture, in: PublishedKeys(state, mapping))
      }
      if let found { return found }
    }
    return nil
  }
}
