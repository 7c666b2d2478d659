/// Sharpness-aware minimisation (Foret et al. 2021) around any optimiser: the gradients of a step
/// are those found a little uphill, so that flat minima are preferred. A step computes gradients
/// twice.
///
/// The two computations should see the same batch and drop the same units, and only the first one's
/// running statistics should be kept.
package struct SharpnessAware: Optimizer {
  /// What takes the step.
  package var base: any Optimizer
  /// How far uphill, as a distance of all parameters together.
  package var radius: Float

  /// The authors' distance unless told otherwise.
  package init(_ base: any Optimizer, radius: Float = 0.05) {
    precondition(radius > 0, "SharpnessAware: radius \(radius) must be positive")
    self.base = base
    self.radius = radius
  }

  /// The rate of the optimiser inside.
  package var learningRate: Float {
    get { base.learningRate }
    set { base.learningRate = newValue }
  }

  /// The state of the optimiser inside; nothing else is remembered.
  package var state: [String: Tensor] {
    get { base.state }
    set { base.state = newValue }
  }

  /// The step of the optimiser inside, for gradients that were found uphill already. Others must
  /// come through `step(_:computing:)`.
  package mutating func step(_ parameters: [Parameter], _ gradients: Gradients) {
    base.step(parameters, gradients)
  }

  /// Goes uphill by the first gradients, computes the second there, returns, and steps by those.
  /// Where `compute` throws, the parameters are as they were.
  package mutating func step(
    _ parameters: [Parameter], computing compute: () throws -> Gradients
  ) rethrows {
    let here = try compute()
    let changed = parameters.filter { here[$0] != nil }
    // Kept as they are: to subtract what was added would not restore every bit.
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

  /// Takes on the state that a file holds.
  package mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try base.restore(state, for: parameters, file: file)
  }
}
