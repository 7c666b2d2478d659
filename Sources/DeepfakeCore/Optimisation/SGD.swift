/// Stochastic gradient descent with momentum (Polyak 1964; Sutskever et al. 2013), as in PyTorch:
///
///     g += decay * w;  b = momentum * b + (1 - dampening) * g, at first b = g
///     w -= rate * b, or with Nesterov's look ahead  w -= rate * (g + momentum * b)
public struct SGD: Optimizer {
  /// The learning rate of the next step.
  public var learningRate: Float
  /// The fraction of the last step's direction to keep; 0: no state is stored.
  public var momentum: Float
  /// The amount by which the weight of a new gradient in the direction is reduced: 1 - dampening
  /// remains.
  public var dampening: Float
  /// Whether to use Nesterov's momentum (Nesterov 1983). It needs a momentum and no dampening.
  public var nesterov: Bool
  /// The learning rate factors and the weight decay of the parameters.
  public var groups: [ParameterGroup]

  private var slots: OptimizerSlots

  /// Creates an optimiser; the defaults are plain descent.
  public init(
    learningRate: Float, momentum: Float = 0, dampening: Float = 0, nesterov: Bool = false,
    groups: [ParameterGroup] = []
  ) {
    precondition(
      !nesterov || (momentum > 0 && dampening == 0),
      "SGD: Nesterov momentum needs a momentum above 0 and no dampening")
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.nesterov = nesterov
    self.groups = groups
    slots = OptimizerSlots(name: "sgd", kinds: momentum == 0 ? [] : ["momentum"])
  }

  /// The momentum buffers and the step counts: `sgd.momentum.KEY` and `sgd.steps.KEY`.
  public var state: [String: Tensor] {
    get { slots.state }
    set { slots.state = newValue }
  }

  /// Changes the parameters by one step along `gradients`.
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
        // With Nesterov's momentum 1 and the momentum, otherwise 0 and 1.
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

  /// Restores the state from a file.
  public mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try slots.restore(state, for: parameters, file: file)
  }
}
