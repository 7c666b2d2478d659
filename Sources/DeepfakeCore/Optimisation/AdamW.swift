/// Adam with weight decay that does not pass through the moments (Loshchilov and Hutter 2019), step
/// by step as PyTorch's: w *= 1 - rate * decay, then Adam's step.
///
/// ```swift
/// var optimizer = AdamW(learningRate: 1e-3, groups: .decayingWeights(0.05))
/// let loss = valueAndGrad { layer(x).squaredError(targets) }
/// optimizer.step(store.parameters, loss.gradients)
/// print(loss.value)
/// ```
public struct AdamW: Optimizer {
  /// The rate of the next step.
  public var learningRate: Float
  private var moments: AdamMoments

  /// Weights decay by 0.01, norms and biases do not, unless told otherwise.
  public init(
    learningRate: Float = 0.001, betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8,
    groups: [ParameterGroup] = .decayingWeights(0.01)
  ) {
    self.learningRate = learningRate
    moments = AdamMoments(
      name: "adamw", decay: .decoupled, betas: betas, epsilon: epsilon, groups: groups)
  }

  /// `adamw.m.KEY`, `adamw.v.KEY` and `adamw.steps.KEY`.
  public var state: [String: Tensor] {
    get { moments.slots.state }
    set { moments.slots.state = newValue }
  }

  /// One step.
  public mutating func step(_ parameters: [Parameter], _ gradients: Gradients) {
    moments.step(parameters, gradients, rate: learningRate)
  }

  /// Takes on the state that a file holds.
  public mutating func restore(
    _ state: [String: Tensor], for parameters: [Parameter], file: String
  ) throws(OptimizerStateError) {
    try moments.slots.restore(state, for: parameters, file: file)
  }
}
