import DeepfakeCore

/// Which optimiser changes the weights, and how.
public struct OptimizerOptions: Sendable, Equatable {
  /// The optimisers that a recipe can name.
  public enum Kind: String, Sendable, CaseIterable {
    /// Stochastic gradient descent, with momentum.
    case sgd
    /// Adam (Kingma and Ba 2015); weight decay is added to the gradient.
    case adam
    /// Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).
    case adamw
  }

  /// The optimiser.
  public var kind: Kind = .adam
  /// The first learning rate.
  public var learningRate: Float = 0.001
  /// The weight decay of weights; norms and biases do not decay.
  public var weightDecay: Float = 0
  /// What the learning rate is multiplied by from each level of the network to the level before it,
  /// 0.01 to 1; 1: all learn alike.
  public var layerDecay: Float = 1
  /// SGD's momentum.
  public var momentum: Float = 0.9
  /// Whether SGD looks ahead (Nesterov).
  public var nesterov: Bool = false
  /// How much of their values Adam's two averages keep at a step.
  public var betas: [Float] = [0.9, 0.999]
  /// Added to Adam's denominator.
  public var epsilon: Float = 1e-8
  /// How far SAM goes up before each step (Foret et al. 2021), which doubles its time; nil for no SAM.
  public var sam: Float?

  /// Adam at a rate of 0.001.
  public init() {}
}
