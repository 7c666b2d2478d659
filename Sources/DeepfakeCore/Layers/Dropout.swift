/// Sets random elements to zero in training and scales up the rest (Srivastava et al. 2014).
public struct Dropout: Module {
  private let drop: RandomDrop

  /// Creates a layer that drops each element with probability `rate`, in 0..<1. The name of `scope`
  /// selects the random sequence.
  public init(_ scope: Scope, _ rate: Float) {
    drop = RandomDrop(key: scope.prefix, rate: rate)
  }

  /// Returns `x` with random elements dropped in training, unchanged at inference.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    drop(x, mode, maskShape: x.shape)
  }
}

/// Sets random whole images to zero in training and scales up the rest. At the end of a residual
/// branch, this skips the block for these images (Huang et al. 2016).
package struct StochasticDepth: Module {
  private let drop: RandomDrop

  /// Creates a layer that drops each image with probability `rate`, in 0..<1. The name of `scope`
  /// selects the random sequence.
  package init(_ scope: Scope, _ rate: Float) {
    drop = RandomDrop(key: scope.prefix, rate: rate)
  }

  /// Returns `x` with random images dropped in training, unchanged at inference. The first axis of
  /// `x` is the batch.
  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    precondition(x.rank >= 1, "StochasticDepth: input without a batch axis")
    return drop(x, mode, maskShape: [x.shape[0]] + x.shape.dropFirst().map { _ in 1 })
  }
}

/// Multiplication by a random mask of zeros and 1 / (1 - rate).
private struct RandomDrop: Sendable {
  let key: String
  let rate: Float

  init(key: String, rate: Float) {
    precondition(rate >= 0 && rate < 1, "dropout \(key): rate \(rate) is not in 0..<1")
    self.key = key
    self.rate = rate
  }

  func callAsFunction(_ x: Tensor, _ mode: Mode, maskShape: [Int]) -> Tensor {
    guard rate > 0, case .training(let context) = mode else { return x }
    var generator = context.generator(for: key)
    let mask = Tensor(shape: maskShape) { mask in
      for i in mask.indices { mask[i] = generator.uniform() < rate ? 0 : 1 / (1 - rate) }
    }
    return FixedProduct(mask)(x)
  }
}
