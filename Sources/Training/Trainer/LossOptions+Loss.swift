import DeepfakeCore

extension LossOptions {
  /// The mean loss of logits, [n, 1], against targets in 0...1, [n].
  public func callAsFunction(_ logits: Tensor, _ targets: Tensor, weights: Tensor? = nil) -> Tensor
  {
    let logits = logits.reshaped(targets.shape)
    switch kind {
    case .bce:
      return logits.binaryCrossEntropy(
        targets, smoothing: labelSmoothing, positiveWeight: fakeWeight ?? 1, weights: weights)
    case .focal:
      let smoothed =
        targets * Tensor(scalar: 1 - labelSmoothing) + Tensor(scalar: labelSmoothing / 2)
      return logits.focalLoss(smoothed, alpha: alpha, gamma: gamma, weights: weights)
    }
  }
}
