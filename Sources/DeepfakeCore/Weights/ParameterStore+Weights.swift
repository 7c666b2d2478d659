extension ParameterStore {
  /// Fills the parameters from a file's tensors of the same keys. Each is converted to memory
  /// layout when it is first read; until then the file must not be changed in place.
  ///
  /// Strict, every parameter must get its tensor and every tensor must be used. Otherwise
  /// parameters without a tensor keep what they have and unused tensors are passed over; a wrong
  /// shape is an error either way. On failure no parameter has changed.
  /// - Returns: what was missing and unused; empty when strict.
  /// - Throws: `WeightsError.mismatch` with every missing, unused and misshapen key.
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

  /// The parameters' values under their keys, seen in file layout. Nothing is copied. Every
  /// parameter must have a value.
  public func stateDict(metadata: [String: String] = [:]) -> StateDict {
    StateDict(
      tensors: parameters.map { StateDict.Entry($0.key, $0.value, layout: $0.layout) },
      metadata: metadata)
  }
}
