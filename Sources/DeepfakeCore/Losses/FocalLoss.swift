import Foundation

/// The focal loss of each logit (Lin et al. 2017): the log loss, reduced for samples that are
/// already classified well. It equals `torchvision.ops.sigmoid_focal_loss`.
package struct FocalLoss: Operation {
  /// The weight of the positive class; the negative class gets 1 - alpha. Nil: both weights are 1.
  package let alpha: Float?
  /// The exponent that reduces the loss of well classified samples. At 0 the loss is the log loss.
  package let gamma: Float

  /// Creates a loss; the defaults are the paper's values.
  package init(alpha: Float? = 0.25, gamma: Float = 2) {
    precondition(
      (0...1).contains(alpha ?? 0) && gamma >= 0,
      "focal loss: alpha \(alpha ?? 0) or gamma \(gamma) are out of range")
    self.alpha = alpha
    self.gamma = gamma
  }

  /// Inputs: logits, and targets of the same shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let losses = Tensor.losses(inputs[0], inputs[1], "focal loss") { x, t in
      weight(t) * entropy(x, t) * pow(miss(x, t), Double(gamma))
    }
    return (losses, inputs)
  }

  /// The gradients of the logits and of the targets.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, t) = (saved[0], saved[1])
    return [
      wants[0] ? gradient * .losses(x, t, "focal loss", derivativeAtLogit) : nil,
      wants[1] ? gradient * .losses(x, t, "focal loss", derivativeAtTarget) : nil,
    ]
  }

  private func weight(_ t: Double) -> Double {
    alpha.map { Double($0) * t + (1 - Double($0)) * (1 - t) } ?? 1
  }

  private func entropy(_ x: Double, _ t: Double) -> Double {
    (1 - t) * softplus(x) + t * softplus(-x)
  }

  /// The probability that the logit gives to the wrong class: 1 - p_t.
  private func miss(_ x: Double, _ t: Double) -> Double {
    sigmoid(-x) * t + sigmoid(x) * (1 - t)
  }

  /// gamma * miss^(gamma - 1) * slope. Where the power is infinite, `slope` is 0 and so is the
  /// result.
  private func powerSlope(_ miss: Double, times slope: Double) -> Double {
    gamma == 0 || slope == 0 ? 0 : Double(gamma) * pow(miss, Double(gamma) - 1) * slope
  }

  private func derivativeAtLogit(_ x: Double, _ t: Double) -> Double {
    let miss = miss(x, t)
    let missSlope = sigmoid(x) * sigmoid(-x) * (1 - 2 * t)
    return weight(t)
      * ((sigmoid(x) - t) * pow(miss, Double(gamma))
        + entropy(x, t) * powerSlope(miss, times: missSlope))
  }

  private func derivativeAtTarget(_ x: Double, _ t: Double) -> Double {
    let (miss, entropy) = (miss(x, t), entropy(x, t))
    let power = pow(miss, Double(gamma))
    let weightSlope = alpha.map { 2 * Double($0) - 1 } ?? 0
    return weightSlope * entropy * power
      + weight(t) * (-x * power + entropy * powerSlope(miss, times: sigmoid(-x) - sigmoid(x)))
  }
}

extension Tensor {
  /// The focal loss of these logits against `targets` of the same shape.
  ///
  /// - Parameters:
  ///   - targets: The probabilities of the positive class.
  ///   - alpha: The weight of the positive class; the negative class gets 1 - alpha. Nil: both
  ///     weights are 1.
  ///   - gamma: The exponent that reduces the loss of well classified samples; 0: the log loss.
  ///   - weights: A factor for each loss. The mean still divides by the number of losses.
  ///   - reduction: The way to combine the losses.
  public func focalLoss(
    _ targets: Tensor, alpha: Float? = 0.25, gamma: Float = 2, weights: Tensor? = nil,
    reduction: LossReduction = .mean
  ) -> Tensor {
    let losses = FocalLoss(alpha: alpha, gamma: gamma)(self, targets)
    return reduction(losses, weights: weights, "focal loss")
  }
}
