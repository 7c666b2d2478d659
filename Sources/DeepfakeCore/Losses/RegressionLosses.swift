/// The squared difference of each pair of elements.
package struct SquaredError: Operation {
  package init() {}

  /// Inputs: two tensors of one shape.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (a, b) = (inputs[0], inputs[1])
    precondition(a.shape == b.shape, "squared error: shapes \(a.shape) and \(b.shape) differ")
    return (.broadcast(a, b, "squared error") { ($0 - $1) * ($0 - $1) }, inputs)
  }

  /// Twice the gradient times the difference, and the negative of that.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let slope = Tensor.broadcast(saved[0], saved[1], "squared error") { 2 * ($0 - $1) }
    let first = gradient * slope
    return [wants[0] ? first : nil, wants[1] ? -first : nil]
  }
}

/// The squared difference of each pair of elements over 2 * beta where it is less than beta;
/// beyond, its magnitude less beta / 2 (Girshick 2015). Equal to `torch.nn.SmoothL1Loss`.
package struct SmoothL1: Operation {
  /// The difference from which the loss is linear; 0: it is everywhere.
  package let beta: Float

  /// The operation of one beta.
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

  /// The gradient times the difference over beta, moved into -1...1, and the negative of that.
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
  /// The squared difference to `targets`, which have the same shape.
  public func squaredError(
    _ targets: Tensor, weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    reduction(SquaredError()(self, targets), weights: weights, "squared error")
  }

  /// The smooth L1 loss against `targets`, which have the same shape; it is linear from a
  /// difference of `beta` on.
  public func smoothL1(
    _ targets: Tensor, beta: Float = 1, weights: Tensor? = nil, reduction: LossReduction = .mean
  ) -> Tensor {
    reduction(SmoothL1(beta: beta)(self, targets), weights: weights, "smooth L1")
  }
}
