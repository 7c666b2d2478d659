import Foundation

/// The log loss of each logit against a target in 0...1, exact for logits of any size. Equal to
/// `torch.nn.functional.binary_cross_entropy_with_logits` of the smoothed targets.
package struct BinaryCrossEntropy: Operation {
  /// How far targets are moved towards a half: t becomes t * (1 - smoothing) + smoothing / 2.
  package let smoothing: Float
  /// What the target's part counts: PyTorch's `pos_weight`.
  package let positiveWeight: Float
  /// What the rest of the target counts.
  package let negativeWeight: Float

  /// The loss without smoothing and weights, unless told otherwise.
  package init(smoothing: Float = 0, positiveWeight: Float = 1, negativeWeight: Float = 1) {
    precondition(
      (0...1).contains(smoothing) && positiveWeight >= 0 && negativeWeight >= 0,
      "binary cross-entropy: smoothing \(smoothing) or weights \(positiveWeight), \(negativeWeight)"
        + " are out of range")
    self.smoothing = smoothing
    self.positiveWeight = positiveWeight
    self.negativeWeight = negativeWeight
  }

  /// Inputs: logits, targets of the same shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let losses = Tensor.losses(inputs[0], inputs[1], "binary cross-entropy") { x, t in
      let parts = parts(t)
      return parts.negative * softplus(x) + parts.positive * softplus(-x)
    }
    return (losses, inputs)
  }

  /// The gradient times sigmoid(logit) - target, weighted; and that of the targets.
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

  /// What log(1 - p) and log(p) count for one target.
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
  ///   - smoothing: How far targets are moved towards a half.
  ///   - positiveWeight: What the target's part counts, as PyTorch's `pos_weight`.
  ///   - negativeWeight: What the rest of the target counts.
  ///   - weights: What each loss counts; the mean still divides by their number, as PyTorch's.
  public func binaryCrossEntropy(
    _ targets: Tensor, smoothing: Float = 0, positiveWeight: Float = 1, negativeWeight: Float = 1,
    weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    let loss = BinaryCrossEntropy(
      smoothing: smoothing, positiveWeight: positiveWeight, negativeWeight: negativeWeight)
    return reduction(loss(self, targets), weights: weights, "binary cross-entropy")
  }
}
