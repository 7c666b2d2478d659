/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), with the same steps as PyTorch's
/// AdamW: w *= 1 - rate * decay, then Adam's step. The decay does not enter the moments.
///
/// ```swift
/// var optimizer = AdamW(learningRate: 1e-3, groups: .decayingWeights(0.05))
/// let loss = valueAndGrad { layer(x).squaredError(targets) }
/// optimizer.step(store.parameters, loss.gradients)
/// print(loss.value)
/// ```
public struct AdamW: Optimizer {
  /// The learning rate of the next step.
  public var learningRate: Float
  private var moments: AdamMoments

  /// Creates an optimiser. By default weights decay by 0.01, and norms and biases do not decay.
  public init(
    learningRate: Float = 0.001, betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8,
    groups: [ParameterGroup] = .decayingWeights(0.01)
  ) {
    self.learningRate = learningRate
    moments = AdamMoments(
      name: "adamw", decay: .decoupled, betas: betas, epsilon: epsilon, groups: groups)
  }

  /// The moments and the step counts: `adamw.m.KEY`, `adamw.v.KEY` and `adamw.steps.KEY`.
  public var state: [String: Tensor] {
    get { moments.slots.state }
    set { moments.slots.state = newValue }
  }

  /// Changes the parameters by one step along `gradients`.
  public mutating func step(_ parameters: [Parameter], _ gradients: Gradients) {
    moments.step(parameters, gradients, rate: learningRate)
  }

  /// Restores the state from a file.
  public mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try moments.slots.restore(state, for: parameters, file: file)
  }
}
