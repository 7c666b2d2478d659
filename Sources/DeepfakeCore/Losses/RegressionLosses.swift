/// The squared difference of each pair of elements.
package struct SquaredError: Operation {
  package init() {}

  /// Inputs: two tensors of one shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (a, b) = (inputs[0], inputs[1])
    precondition(a.shape == b.shape, "squared error: shapes \(a.shape) and \(b.shape) differ")
    return (.broadcast(a, b, "squared error") { ($0 - $1) * ($0 - $1) }, inputs)
  }

  /// The gradient times twice the difference, and the negative of that.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let slope = Tensor.broadcast(saved[0], saved[1], "squared error") { 2 * ($0 - $1) }
    let first = gradient * slope
    return [wants[0] ? first : nil, wants[1] ? -first : nil]
  }
}

/// The smooth L1 loss of each pair of elements (Girshick 2015), equal to `torch.nn.SmoothL1Loss`.
/// For a difference d it is d² / (2 * beta) if |d| is less than beta, otherwise |d| - beta / 2.
package struct SmoothL1: Operation {
  /// The difference from which on the loss is linear; at 0 it is linear everywhere.
  package let beta: Float

  package init(beta: Float = 1) {
    precondition(beta >= 0, "smooth L1: beta \(beta) is negative")
    self.beta = beta
  }

  /// Inputs: two tensors of one shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (a, b) = (inputs[0], inputs[1])
    precondition(a.shape == b.shape, "smooth L1: shapes \(a.shape) and \(b.shape) differ")
    let (beta, half) = (Lanes(repeating: beta), Lanes(repeating: beta / 2))
    let losses = Tensor.broadcast(a, b, "smooth L1") { a, b in
      let size = Lanes.select(a .< b, b - a, a - b)
      return .select(size .< beta, size * size / (2 * beta), size - half)
    }
    return (losses, inputs)
  }

  /// The gradient times the difference divided by beta, limited to -1...1, and the negative of
  /// that.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let beta = Lanes(repeating: beta)
    let slope = Tensor.broadcast(saved[0], saved[1], "smooth L1") { a, b in
      let difference = a - b
      let sign = Lanes.select(
        difference .< 0, 0 - Lanes.one, .select(difference .> 0, .one, difference))
      return .select(sign * difference .< beta, difference / beta, sign)
    }
    let first = gradient * slope
    return [wants[0] ? first : nil, wants[1] ? -first : nil]
  }
}

extension Tensor {
  /// The squared difference of each element to `targets`, which have the same shape.
  public func squaredError(
    _ targets: Tensor, weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    reduction(SquaredError()(self, targets), weights: weights, "squared error")
  }

  /// The smooth L1 loss against `targets`, which have the same shape. From a difference of `beta`
  /// on it is linear.
  public func smoothL1(
    _ targets: Tensor, beta: Float = 1, weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    reduction(SmoothL1(beta: beta)(self, targets), weights: weights, "smooth L1")
  }
}
