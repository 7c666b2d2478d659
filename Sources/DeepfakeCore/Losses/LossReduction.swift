/// The way to combine the losses of single elements.
public enum LossReduction: String, Sendable, CaseIterable {
  /// The losses are returned as a tensor.
  case none
  /// The mean. It divides by the number of losses, whatever their weights, as in PyTorch, unless a
  /// loss states otherwise.
  case mean
  /// The sum.
  case sum

  /// The combined losses, each first multiplied by its weight. The mean divides by `divisor`; nil:
  /// by the number of losses.
  func callAsFunction(
    _ losses: Tensor, weights: Tensor? = nil, divisor: Float? = nil, _ name: String
  ) -> Tensor {
    var losses = losses
    if let weights {
      precondition(
        weights.shape == losses.shape,
        "\(name): weights \(weights.shape) do not fit losses \(losses.shape)")
      losses = FixedProduct(weights)(losses)
    }
    switch self {
    case .none: return losses
    case .sum: return losses.sum()
    case .mean:
      guard let divisor else { return losses.mean() }
      return losses.sum() * (1 / divisor)
    }
  }
}

extension Tensor {
  /// `loss` of each pair of elements of two tensors of one shape, in double precision.
  static func losses(
    _ logits: Tensor, _ targets: Tensor, _ name: String, _ loss: (Double, Double) -> Double
  ) -> Tensor {
    precondition(
      logits.shape == targets.shape,
      "\(name): logits \(logits.shape) and targets \(targets.shape) differ in shape")
    return Tensor(shape: logits.shape) { y in
      logits.withUnsafeBuffer { x in
        targets.withUnsafeBuffer { t in
          for i in y.indices { y[i] = Float(loss(Double(x[i]), Double(t[i]))) }
        }
      }
    }
  }
}
