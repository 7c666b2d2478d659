import DeepfakeCore

extension GoldenCase {
  /// What only gradients.json holds: losses, operations of training.
  func evaluateFurther(_ t: [Tensor]) -> Tensor? {
    switch op {
    case "fixedProduct":
      return FixedProduct(Tensor([0, 2, 4], shape: [3, 1, 1, 1]))(t[0])
    case "scale":
      return -1.5 * t[0]
    case "channelScale":
      return t[0].scalingChannels(by: t[1])
    case "measuredBatchNorm":
      let statistics = t[0].channelStatistics()
      return BatchNormalization(
        epsilon: float("epsilon"), measured: true, activation: activation)(
          t[0], statistics.mean, statistics.variance, t[1], t[2])
    case "activatedGroupNorm":
      return t[0].groupNorm(
        groups: int("groups"), weight: t[1], bias: t[2], epsilon: float("epsilon"),
        activation: activation)
    case "binaryCrossEntropy":
      let weights = GoldenCase.tensor("weights", [7]).abs()
      return (t[0] * float("scale")).binaryCrossEntropy(
        t[1] * 0.25 + 0.5, smoothing: float("smoothing", default: 0),
        positiveWeight: float("positive", default: 1), weights: flag("weighted") ? weights : nil,
        reduction: reduction)
    case "focalLoss":
      let targets = t[1] * 0.25 + 0.5
      let alpha = settings["alpha"]?.first
      guard flag("hard") else {
        return t[0].focalLoss(
          targets, alpha: alpha, gamma: float("gamma"), reduction: reduction)
      }
      let hard = Tensor(targets.scalars.map { $0.rounded() }, shape: targets.shape)
      return (3 * t[0]).focalLoss(
        hard, alpha: alpha, gamma: float("gamma"), reduction: reduction)
    case "squaredError":
      return t[0].squaredError(t[1], reduction: reduction)
    case "smoothL1":
      return t[0].smoothL1(t[1], beta: float("beta"), reduction: reduction)
    case "crossEntropy":
      if let classes = ints("classes") {
        return (5 * t[0]).crossEntropy(
          classes: classes, smoothing: float("smoothing"), classWeights: settings["classWeights"],
          reduction: reduction)
      }
      return (5 * t[0]).crossEntropy(
        probabilities: t[1].softmax(), smoothing: float("smoothing"),
        classWeights: settings["classWeights"], reduction: reduction)
    default:
      return nil
    }
  }

  private func float(_ key: String, default other: Float) -> Float {
    settings[key]?.first ?? other
  }

  private var activation: Activation {
    [.identity, .relu, .leakyReLU(slope: 0.1), .silu][int("activation")]
  }

  private var reduction: LossReduction { [.none, .mean, .sum][int("reduction")] }
}
