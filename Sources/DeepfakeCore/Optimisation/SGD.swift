/// Stochastic gradient descent, with momentum (Polyak 1964; Sutskever et al. 2013) as PyTorch has
/// it:
///
///     g += decay * w;  b = momentum * b + (1 - dampening) * g, at first b = g
///     w -= rate * b, or with Nesterov's look ahead  w -= rate * (g + momentum * b)
public struct SGD: Optimizer {
  /// The rate of the next step.
  public var learningRate: Float
  /// How much of the last step's direction is kept; 0: nothing is remembered.
  public var momentum: Float
  /// How much less a new gradient counts in the direction.
  public var dampening: Float
  /// Whether to look ahead by the momentum (Nesterov 1983).
  public var nesterov: Bool
  /// Rates and decay by parameter.
  public var groups: [ParameterGroup]

  private var slots: OptimizerSlots

  /// Plain descent unless told otherwise.
  public init(
    learningRate: Float, momentum: Float = 0, dampening: Float = 0, nesterov: Bool = false,
    groups: [ParameterGroup] = []
  ) {
    precondition(
      !nesterov || (momentum > 0 && dampening == 0),
      "SGD: Nesterov's needs a momentum and no dampening")
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.nesterov = nesterov
    self.groups = groups
    slots = OptimizerSlots(name: "sgd", kinds: momentum == 0 ? [] : ["momentum"])
  }

  /// `sgd.momentum.KEY` and `sgd.steps.KEY`.
  public var state: [String: Tensor] {
    get { slots.state }
    set { slots.state = newValue }
  }

  /// One step.
  public mutating func step(_ parameters: [Parameter], _ gradients: Gradients) {
    for parameter in parameters {
      guard let gradient = gradients[parameter] else { continue }
      let group = groups.settings(for: parameter)
      let rate = Lanes(repeating: learningRate * group.learningRateScale)
      let decay = Lanes(repeating: group.weightDecay)
      var slot = slots.take(for: parameter)
      slot.steps += 1
      if momentum == 0 {
        updateInPlace(parameter, gradient, &slot) { value, gradient, _, _ in
          value -= rate * (gradient + decay * value)
        }
      } else {
        let momentum = Lanes(repeating: momentum)
        let kept = slot.steps == 1 ? Lanes.zero : momentum
        let added = Lanes(repeating: slot.steps == 1 ? 1 : 1 - dampening)
        // 1 and the momentum with Nesterov's, 0 and 1 without.
        let ahead = Lanes(repeating: nesterov ? 1 : 0)
        let along = nesterov ? momentum : Lanes(repeating: 1)
        updateInPlace(parameter, gradient, &slot) { value, gradient, buffer, _ in
          let gradient = gradient + decay * value
          buffer = kept * buffer + added * gradient
          value -= rate * (ahead * gradient + along * buffer)
        }
      }
      slots.put(slot, for: parameter)
    }
  }

  /// Takes on the state that a file holds.
  public mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try slots.restore(state, for: parameters, file: file)
  }
}
