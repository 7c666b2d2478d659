import DeepfakeCore

/// What a network took over from a checkpoint of another task or another norm, and what it did not.
package struct WeightsTransfer: Sendable, Equatable {
  /// Whose keys the checkpoint has.
  package var scheme: Scheme
  /// The network's parameters that were taken over.
  package var taken: [String] = []
  /// The network's parameters that begin anew.
  package var new: [String] = []
  /// The checkpoint's tensors that the network has no place for, under the checkpoint's keys.
  package var dropped: [String] = []

  /// One line for each kind of what is new or dropped, for people: few are named, many are counted
  /// by their last part.
  package var summary: [String] {
    [("new", new), ("dropped", dropped)].compactMap { word, keys in
      guard !keys.isEmpty else { return nil }
      guard keys.count > 6 else { return "\(word): \(keys.joined(separator: ", "))" }
      var kinds: [(name: String, keys: [String])] = []
      for key in keys {
        let name = key.split(separator: ".").last.map(String.init) ?? key
        if let place = kinds.firstIndex(where: { $0.name == name }) {
          kinds[place].keys.append(key)
        } else {
          kinds.append((name, [key]))
        }
      }
      let words = kinds.map { kind in
        kind.keys.count <= 2
          ? kind.keys.joined(separator: ", ") : "\(kind.keys.count) of \(kind.name)"
      }
      return "\(word): \(words.joined(separator: ", "))"
    }
  }

  /// Every key, a line each.
  package var details: String {
    [("taken over", taken), ("new", new), ("dropped", dropped)].map { word, keys in
      "\(word): \(keys.count)\n" + keys.map { "  \($0)\n" }.joined()
    }.joined()
  }
}

extension ClassifierNetwork {
  /// Fills the network with what a checkpoint of the same architecture has for it, to be trained
  /// on: the norm and the number of classes may differ.
  ///
  /// The classifier is taken over where its shape is the same and `keepsHead`. From batch norm to
  /// group norm, scales and shifts go over and running statistics are dropped. Every parameter must
  /// have a value already: those that the checkpoint has nothing for keep it.
  ///
  /// - Parameter scheme: Whose checkpoint it is; told from its metadata or keys if nil.
  /// - Throws: `ClassifierError.unrecognised` where the scheme cannot be told, or the network is
  ///   not of the checkpoint's architecture; `WeightsError.mismatch` where a layer's weights are
  ///   missing or of another shape.
  package func takeOver(
    _ state: StateDict, scheme: Scheme? = nil, architecture: Architecture, keepsHead: Bool = true
  ) throws -> WeightsTransfer {
    let named = try ClassifierOptions(scheme: scheme).filled(from: state).named(file: state.file)
    guard let scheme = named.scheme ?? Scheme.recognised(in: state) else {
      throw ClassifierError.unrecognised(
        file: state.file, what: "scheme", choices: Scheme.allCases.map(\.rawValue))
    }
    guard scheme.covers(architecture) else {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "scheme",
        reason: "\(scheme.rawValue) has no \(architecture.rawValue).")
    }
    if let found = Architecture.recognised(in: state, scheme), found != architecture {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "architecture",
        reason: "is \(found.rawValue); the network to train is \(architecture.rawValue).")
    }
    let mapping = KeyMapping(scheme, architecture, for: state)
    var renamed = try mapping.renamed(state, for: store.parameters)
    var result = WeightsTransfer(scheme: scheme)
    for parameter in store.parameters where lastKeys.contains(parameter.key) {
      guard let stored = renamed[parameter.key] else { continue }
      if !keepsHead || stored.shape != parameter.layout.fileShape(parameter.shape) {
        renamed[parameter.key] = nil
        result.dropped.append(mapping.published(parameter.key))
      }
    }
    // The classifier's weight and bias are one: half of one would mean nothing.
    if !result.dropped.isEmpty {
      for parameter in store.parameters where lastKeys.contains(parameter.key) {
        if renamed[parameter.key] != nil {
          renamed[parameter.key] = nil
          result.dropped.append(mapping.published(parameter.key))
        }
      }
    }
    var missing: [String] = []
    for parameter in store.parameters where renamed[parameter.key] == nil {
      let mayBeNew = lastKeys.contains(parameter.key) || parameter.role == .statistic
      if mayBeNew { result.new.append(parameter.key) } else { missing.append(parameter.key) }
    }
    guard missing.isEmpty else {
      var mismatch = WeightsMismatch(file: state.file)
      mismatch.missing = missing.map(mapping.published)
      throw WeightsError.mismatch(mismatch)
    }
    let left = try store.load(renamed, strict: false)
    result.dropped += left.unused
    result.taken = store.parameters.map(\.key).filter { renamed[$0] != nil }
    return result
  }

  /// The parameters under the keys of a scheme's checkpoints, so that a file of them loads as one
  /// of that scheme. Nothing is copied.
  public func stateDict(_ scheme: Scheme, _ architecture: Architecture) -> StateDict {
    // Where a scheme has two names for a layer, the newer one is written.
    let mapping = KeyMapping(scheme, architecture) { _ in false }
    return StateDict(
      tensors: store.parameters.map {
        StateDict.Entry(mapping.published($0.key), $0.value, layout: $0.layout)
      })
  }
}
