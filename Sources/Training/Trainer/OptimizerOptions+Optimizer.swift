import DeepfakeCore

extension OptimizerOptions {
  /// The optimiser of a network's parameters, given from the first layer to the last; norms and
  /// biases do not decay.
  public func optimizer(of parameters: [Parameter]) -> any Optimizer {
    let groups: [ParameterGroup] =
      if layerDecay < 1 {
        .layerwise(rate: layerDecay, weightDecay: weightDecay, over: parameters)
      } else {
        weightDecay > 0 ? .decayingWeights(weightDecay) : []
      }
    let betas = AdamBetas(
      mean: betas.first ?? 0.9, square: betas.count > 1 ? betas[1] : 0.999)
    let base: any Optimizer =
      switch kind {
      case .sgd:
        SGD(
          learningRate: learningRate, momentum: momentum, nesterov: nesterov && momentum > 0,
          groups: groups)
      case .adam:
        Adam(learningRate: learningRate, betas: betas, epsilon: epsilon, groups: groups)
      case .adamw:
        AdamW(learningRate: learningRate, betas: betas, epsilon: epsilon, groups: groups)
      }
    return sam.map { SharpnessAware(base, radius: $0) } ?? base
  }

  /// Tensors of a parameter's size that the optimiser remembers.
  var slots: Int {
    switch kind {
    case .sgd: momentum > 0 ? 1 : 0
    case .adam, .adamw: 2
    }
  }
}
