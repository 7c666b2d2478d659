/// Adam (Kingma and Ba 2015), step by step as PyTorch's:
///
///     g += decay * w;  m += (g - m)(1 - beta1);  v = beta2 * v + (1 - beta2) g^2
///     w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
public struct Adam: Optimizer {
  /// The rate of the next step.
  public var learningRate: Float
  private var moments: AdamMoments

  /// The authors' settings unless told otherwise.
  public init(
    learningRate: Float = 0.001, betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8,
    groups: [ParameterGroup] = []
  ) {
    self.learningRate = learningRate
    moments = AdamMoments(
      name: "adam", decay: .throughGradient, betas: betas, epsilon: epsilon, groups: groups)
  }

  /// `adam.m.KEY`, `adam.v.KEY` and `adam.steps.KEY`.
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
