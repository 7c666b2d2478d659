import DeepfakeCore

/// The result of loading a checkpoint of another task or norm into a network: what was and was not
/// taken.
package struct WeightsTransfer: Sendable, Equatable {
  /// The scheme of the checkpoint.
  package var scheme: Scheme
  /// Keys of the network's parameters that were loaded.
  package var taken: [String] = []
  /// Keys of the network's parameters that keep their initial values.
  package var new: [String] = []
  /// The checkpoint's own keys of tensors that the network does not use.
  package var dropped: [String] = []
  /// The first layer whose three channels were repeated for a network with more; nil: none was.
  package var adapted: String?

  /// One line for new parameters and one for dropped tensors, for people; a line is omitted if it
  /// would be empty. Up to six keys are listed, more are counted by their last component.
  package var summary: [String] {
    [("new", new), ("dropped", dropped), ("adapted", [adapted].compactMap { $0 })].compactMap {
      word, keys in
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

  /// All keys, one per line.
  package var details: String {
    [("loaded", taken), ("new", new), ("dropped", dropped)].map { word, keys in
      "\(word): \(keys.count)\n" + keys.map { "  \($0)\n" }.joined()
    }.joined() + (adapted.map { "adapted: \($0)\n" } ?? "")
  }
}

extension ClassifierNetwork {
  /// Loads a checkpoint of the same architecture as the start of a training. The norm and the
  /// number of classes may differ.
  ///
  /// The classifier is loaded if its shape is the same and `keepsHead` is true. From batch norm to
  /// group norm, scales and shifts are loaded and running statistics dropped. Every parameter must
  /// have a value before; those that the checkpoint does not have keep it. If the network reads the
  /// difference to a later frame and the checkpoint single crops, the first layer is adapted by the
  /// rule of timm (`Tensor.adaptedToInput`).
  ///
  /// - Parameter scheme: The checkpoint's scheme; nil: determined from its metadata or keys.
  /// - Throws: `ClassifierError.unrecognised` if the scheme cannot be determined;
  ///   `ClassifierError.invalidSetting` if the checkpoint is of another architecture, or its scheme
  ///   does not cover `architecture`; `WeightsError.mismatch` if a layer's weights are missing or
  ///   of another shape.
  package func transferWeights(
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
        reason: "is \(scheme.rawValue), and there are no \(scheme.rawValue) checkpoints of"
          + " \(architecture.rawValue).")
    }
    if let found = Architecture.recognised(in: state, scheme), found != architecture {
      throw ClassifierError.invalidSetting(
        file: state.file, name: "architecture",
        reason: "is \(found.rawValue); the network to train is \(architecture.rawValue).")
    }
    let mapping = KeyMapping(scheme, architecture, for: state)
    var result = WeightsTransfer(scheme: scheme)
    var renamed: StateDict
    (renamed, result.adapted) = try adaptingStem(
      of: try mapping.renamed(state, for: store.parameters), architecture)
    for parameter in store.parameters where lastKeys.contains(parameter.key) {
      guard let stored = renamed[parameter.key] else { continue }
      if !keepsHead || stored.shape != parameter.layout.fileShape(parameter.shape) {
        renamed[parameter.key] = nil
        result.dropped.append(mapping.published(parameter.key))
      }
    }
    // The classifier's weight and bias belong together: if one is dropped, so is the other.
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

  /// The parameters with the keys of a scheme's checkpoints. A file of them loads as a checkpoint
  /// of that scheme. The values are not copied.
  public func stateDict(_ scheme: Scheme, _ architecture: Architecture) -> StateDict {
    // If the scheme has two names for a layer, use the newer one.
    let mapping = KeyMapping(scheme, architecture) { _ in false }
    return StateDict(
      tensors: store.parameters.map {
        StateDict.Entry(mapping.published($0.key), $0.value, layout: $0.layout)
      })
  }
}
