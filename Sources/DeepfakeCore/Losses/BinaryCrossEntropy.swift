import Foundation

/// The log loss of each logit against a target in 0...1, accurate for logits of any size. It equals
/// `torch.nn.functional.binary_cross_entropy_with_logits` with smoothed targets.
package struct BinaryCrossEntropy: Operation {
  /// The amount of label smoothing: a target t becomes t * (1 - smoothing) + smoothing / 2.
  package let smoothing: Float
  /// The weight of the positive part of a loss, -t * log(p): PyTorch's `pos_weight`.
  package let positiveWeight: Float
  /// The weight of the negative part of a loss, -(1 - t) * log(1 - p).
  package let negativeWeight: Float

  /// Creates a loss; by default without smoothing and weights.
  package init(smoothing: Float = 0, positiveWeight: Float = 1, negativeWeight: Float = 1) {
    precondition(
      (0...1).contains(smoothing) && positiveWeight >= 0 && negativeWeight >= 0,
      "binary cross-entropy: smoothing \(smoothing) or weights \(positiveWeight), \(negativeWeight)"
        + " are out of range")
    self.smoothing = smoothing
    self.positiveWeight = positiveWeight
    self.negativeWeight = negativeWeight
  }

  /// Inputs: logits, and targets of the same shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let losses = Tensor.losses(inputs[0], inputs[1], "binary cross-entropy") { x, t in
      let parts = parts(t)
      return parts.negative * softplus(x) + parts.positive * softplus(-x)
    }
    return (losses, inputs)
  }

  /// The gradients of the logits and of the targets. That of a logit is the gradient times
  /// sigmoid(logit) - target, weighted.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, t) = (saved[0], saved[1])
    let scale = Double(1 - smoothing)
    return [
      wants[0]
        ? gradient
          * .losses(x, t, "binary cross-entropy") { x, t in
            let parts = parts(t)
            return parts.negative * sigmoid(x) - parts.positive * sigmoid(-x)
          } : nil,
      wants[1]
        ? gradient
          * .losses(x, t, "binary cross-entropy") { x, _ in
            scale * (Double(positiveWeight) * softplus(-x) - Double(negativeWeight) * softplus(x))
          } : nil,
    ]
  }

  /// The factors of -log(1 - p) and -log(p) in the loss for one target.
  private func parts(_ target: Double) -> (negative: Double, positive: Double) {
    let smoothed = target * (1 - Double(smoothing)) + Double(smoothing) / 2
    return ((1 - smoothed) * Double(negativeWeight), smoothed * Double(positiveWeight))
  }
}

/// log(1 + exp(x)).
func softplus(_ x: Double) -> Double {
  max(x, 0) + log1p(exp(-abs(x)))
}

extension Tensor {
  /// The log loss of these logits against `targets`, which are probabilities of the same shape.
  ///
  /// - Parameters:
  ///   - targets: The probabilities of the positive class.
  ///   - smoothing: The amount of label smoothing: t becomes t * (1 - smoothing) + smoothing / 2.
  ///   - positiveWeight: The weight of the part -t * log(p), as PyTorch's `pos_weight`.
  ///   - negativeWeight: The weight of the part -(1 - t) * log(1 - p).
  ///   - weights: A factor for each loss. The mean still divides by the number of losses, as in
  ///     PyTorch.
  ///   - reduction: The way to combine the losses.
  public func binaryCrossEntropy(
    _ targets: Tensor, smoothing: Float = 0, positiveWeight: Float = 1, negativeWeight: Float = 1,
    weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    let loss = BinaryCrossEntropy(
      smoothing: smoothing, positiveWeight: positiveWeight, negativeWeight: negativeWeight)
    return reduction(loss(self, targets), weights: weights, "binary cross-entropy")
  }
}
