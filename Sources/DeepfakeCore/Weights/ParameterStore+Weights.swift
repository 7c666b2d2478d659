extension ParameterStore {
  /// Loads the parameters from a file's tensors with the same keys. Each tensor is converted to
  /// memory layout when it is first read; until then the file must not change.
  ///
  /// If `strict`, every parameter must have a tensor and every tensor must be used. Otherwise
  /// parameters without a tensor keep their values, and unused tensors are ignored. A wrong shape
  /// is always an error. If loading fails, no parameter has changed.
  ///
  /// - Returns: The missing and unused keys; none if `strict`.
  /// - Throws: `WeightsError.mismatch` with all missing, unused and misshapen keys.
  @discardableResult
  public func load(
    _ state: StateDict, strict: Bool = true
  ) throws(WeightsError) -> WeightsMismatch {
    var mismatch = WeightsMismatch(file: state.file)
    var found: [(parameter: Parameter, stored: StoredTensor)] = []
    var known: Set<String> = []
    for parameter in parameters {
      known.insert(parameter.key)
      guard let stored = state[parameter.key] else {
        mismatch.missing.append(parameter.key)
        continue
      }
      let expected = parameter.layout.fileShape(parameter.shape)
      if stored.shape == expected {
        found.append((parameter, stored))
      } else {
        mismatch.misshapen.append(
          WeightsMismatch.Misshapen(
            key: parameter.key, expected: expected, found: stored.shape))
      }
    }
    mismatch.unused = state.keys.filter { !known.contains($0) }
    guard mismatch.misshapen.isEmpty, mismatch.isEmpty || !strict else {
      throw .mismatch(mismatch)
    }
    for (parameter, stored) in found { parameter.take(stored) }
    return mismatch
  }

  /// The parameters' values by key, in file layout, without copying them. Every parameter must have
  /// a value.
  public func stateDict(metadata: [String: String] = [:]) -> StateDict {
    StateDict(
      tensors: parameters.map { StateDict.Entry($0.key, $0.value, layout: $0.layout) },
      metadata: metadata)
  }
}
