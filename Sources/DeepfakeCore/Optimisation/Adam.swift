/// Adam (Kingma and Ba 2015), with the same steps as PyTorch's Adam:
///
///     g += decay * w;  m += (g - m)(1 - beta1);  v = beta2 * v + (1 - beta2) g^2
///     w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
public struct Adam: Optimizer {
  /// The learning rate of the next step.
  public var learningRate: Float
  private var moments: AdamMoments

  /// Creates an optimiser; the defaults are the authors' settings, without weight decay.
  public init(
    learningRate: Float = 0.001, betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8,
    groups: [ParameterGroup] = []
  ) {
    self.learningRate = learningRate
    moments = AdamMoments(
      name: "adam", decay: .throughGradient, betas: betas, epsilon: epsilon, groups: groups)
  }

  /// The moments and the step counts: `adam.m.KEY`, `adam.v.KEY` and `adam.steps.KEY`.
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
