import DeepfakeCore

/// Values that make a mistake show: nothing is 0 or 1, variances are positive.
func randomize(_ store: ParameterStore) {
  for parameter in store.parameters {
    var generator = SeededGenerator(seed: 11, label: parameter.key)
    parameter.value =
      parameter.key.hasSuffix("running_var")
      ? .uniform(shape: parameter.shape, in: 0.5..<2, using: &generator)
      : .normal(shape: parameter.shape, deviation: 0.5, using: &generator)
  }
}
