/// Sharpness-aware minimisation (Foret et al. 2021) around any optimiser. A step uses the gradients
/// at a point a small distance uphill, which prefers flat minima. It computes gradients twice.
///
/// Both computations should use the same batch and drop the same units, and only the running
/// statistics of the first one should be kept.
package struct SharpnessAware: Optimizer {
  /// The optimiser that makes the step.
  package var base: any Optimizer
  /// The distance to go uphill, as the norm over all parameters together.
  package var radius: Float

  /// Creates an optimiser around `base`; the default radius is the authors'.
  package init(_ base: any Optimizer, radius: Float = 0.05) {
    precondition(radius > 0, "SharpnessAware: radius \(radius) must be positive")
    self.base = base
    self.radius = radius
  }

  /// The learning rate of `base`.
  package var learningRate: Float {
    get { base.learningRate }
    set { base.learningRate = newValue }
  }

  /// The state of `base`; this optimiser has no state of its own.
  package var state: [String: Tensor] {
    get { base.state }
    set { base.state = newValue }
  }

  /// Makes a step of `base` with gradients that were already computed uphill. For other gradients
  /// use `step(_:computing:)`.
  package mutating func step(_ parameters: [Parameter], _ gradients: Gradients) {
    base.step(parameters, gradients)
  }

  /// Moves the parameters uphill along the first gradients, computes the second gradients there,
  /// moves the parameters back, and makes a step of `base` with the second gradients. If `compute`
  /// throws, the parameters are unchanged.
  package mutating func step(
    _ parameters: [Parameter], computing compute: () throws -> Gradients
  ) rethrows {
    let here = try compute()
    let changed = parameters.filter { here[$0] != nil }
    // Keeps the values, because subtracting the added amount would not restore every bit.
    var values = changed.map(\.value)
    func goBack() {
      for (parameter, value) in zip(changed, values) { parameter.value = value }
      values = []
    }
    let scale = Lanes(repeating: radius / (here.norm + 1e-12))
    for parameter in changed {
      guard let gradient = here[parameter] else { continue }
      var nothing = OptimizerSlot()
      updateInPlace(parameter, gradient, &nothing) { value, gradient, _, _ in
        value += scale * gradient
      }
    }
    let uphill: Gradients
    do {
      uphill = try compute()
    } catch {
      goBack()
      throw error
    }
    goBack()
    base.step(parameters, uphill)
  }

  /// Restores the state from a file.
  package mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try base.restore(state, for: parameters, file: file)
  }
}
