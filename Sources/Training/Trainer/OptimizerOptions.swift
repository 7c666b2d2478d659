import DeepfakeCore
import Settings

/// The optimiser of the weights and its settings.
public struct OptimizerOptions: Sendable, Equatable {
  /// The available optimisers with their settings.
  public enum Kind: Sendable, Equatable {
    /// Stochastic gradient descent. `nesterov` selects Nesterov momentum, which needs a momentum
    /// above 0.
    case sgd(momentum: Float = 0.9, nesterov: Bool = false)
    /// Adam (Kingma and Ba 2015). Weight decay is added to the gradient; `epsilon` is added to the
    /// denominator.
    case adam(betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8)
    /// Adam with weight decay separate from the gradient (Loshchilov and Hutter 2019).
    case adamw(betas: AdamBetas = AdamBetas(), epsilon: Float = 1e-8)
  }

  /// The optimiser and its settings.
  public var kind: Kind = .adam()
  /// The initial learning rate.
  public var learningRate: Float = 0.001
  /// Weight decay of weights. Norms and biases do not decay.
  public var weightDecay: Float = 0
  /// The factor of the learning rate from each level of the network to the level before it, 0.01 to
  /// 1. With 1, all layers have the same rate.
  public var layerDecay: Float = 1
  /// Radius of SAM's uphill step (Foret et al. 2021), which doubles the time of a step; nil: no
  /// SAM.
  public var sam: Float?

  /// Adam with a learning rate of 0.001.
  public init() {}

  /// Makes the optimiser of a network's parameters, given from the first layer to the last. Norms
  /// and biases do not decay.
  public func optimizer(of parameters: [Parameter]) -> any Optimizer {
    let groups: [ParameterGroup] =
      if layerDecay < 1 {
        .layerwise(rate: layerDecay, weightDecay: weightDecay, over: parameters)
      } else {
        weightDecay > 0 ? .decayingWeights(weightDecay) : []
      }
    let base: any Optimizer =
      switch kind {
      case .sgd(let momentum, let nesterov):
        SGD(
          learningRate: learningRate, momentum: momentum, nesterov: nesterov && momentum > 0,
          groups: groups)
      case .adam(let betas, let epsilon):
        Adam(learningRate: learningRate, betas: betas, epsilon: epsilon, groups: groups)
      case .adamw(let betas, let epsilon):
        AdamW(learningRate: learningRate, betas: betas, epsilon: epsilon, groups: groups)
      }
    return sam.map { SharpnessAware(base, radius: $0) } ?? base
  }

  /// Number of tensors that the optimiser keeps for each parameter, of the parameter's size.
  var slots: Int {
    switch kind {
    case .sgd(let momentum, _): momentum > 0 ? 1 : 0
    case .adam, .adamw: 2
    }
  }
}

extension OptimizerOptions: Described {
  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    try fields.kind(
      "kind", &kind, "The optimiser.", more: "Its steps are the same as in PyTorch")
    try fields.value(
      "learningRate", &learningRate, .number(in: 1e-8...10), "The initial learning rate.")
    try fields.value(
      "weightDecay", &weightDecay, .number(in: 0...10),
      "The weight decay; it does not apply to norms and biases.")
    // Hidden at its default value, so that older runs without this key can be resumed.
    try fields.value(
      "layerDecay", &layerDecay, .number(in: 0.01...1), isHidden: { $0 == 1 },
      "The factor of the learning rate from each level of the network to the level before it.",
      more: "Below 1, the first layers learn slowest; 1: all layers have the same rate")
    try kind.describe(&fields)
    try fields.optional(
      "sam", &sam, .number(in: 1e-6...10), hasNone: true,
      "The radius of sharpness-aware minimisation, with which a step takes twice as long.")
  }
}

extension OptimizerOptions.Kind: DescribedKind {
  package static var kinds: [Self] { [.sgd(), .adam(), .adamw()] }

  package var name: String {
    switch self {
    case .sgd: "sgd"
    case .adam: "adam"
    case .adamw: "adamw"
    }
  }

  package mutating func describe(_ fields: inout SettingFields) throws(SettingError) {
    switch self {
    case .sgd(var momentum, var nesterov):
      try fields.value("momentum", &momentum, .number(in: 0...0.999_999), "The momentum.")
      try fields.value("nesterov", &nesterov, .flag, "Whether to use Nesterov momentum.")
      try fields.require(!nesterov || momentum > 0, "nesterov", "needs a momentum above 0")
      self = .sgd(momentum: momentum, nesterov: nesterov)
    case .adam(var betas, var epsilon):
      try Self.describe(&betas, &epsilon, &fields)
      self = .adam(betas: betas, epsilon: epsilon)
    case .adamw(var betas, var epsilon):
      try Self.describe(&betas, &epsilon, &fields)
      self = .adamw(betas: betas, epsilon: epsilon)
    }
  }

  private static func describe(
    _ betas: inout AdamBetas, _ epsilon: inout Float, _ fields: inout SettingFields
  ) throws(SettingError) {
    var pair = [betas.mean, betas.square]
    try fields.value(
      "betas", &pair, .numbers(2, in: 0...0.999_999),
      "The decay of the means of the gradient and of its square: the fractions kept at a step.")
    betas = AdamBetas(mean: pair[0], square: pair[1])
    try fields.value(
      "epsilon", &epsilon, .number(in: 1e-12...1), "The number added to the denominator.")
  }
}
