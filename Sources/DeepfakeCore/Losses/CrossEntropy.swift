import Foundation

/// The cross-entropy after a softmax over the last axis: the sum over classes of -target * log(p).
package struct CrossEntropy: Operation {
  package init() {}

  /// Inputs: logits [..., classes], and targets of the same shape, the factors of each class's
  /// -log(p). The output has shape [...].
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    let (x, t) = (inputs[0], inputs[1])
    precondition(
      x.shape == t.shape && x.rank >= 1 && (x.shape.last ?? 0) > 0,
      "cross-entropy: logits \(x.shape) and targets \(t.shape) do not fit each other")
    let losses = Tensor(shape: x.shape.dropLast()) { y in
      Self.forEachRow(x, t) { row, logarithms, targets in
        y[row] = Float(-zip(logarithms, targets).reduce(0) { $0 + $1.0 * $1.1 })
      }
    }
    return (losses, inputs)
  }

  /// The gradients of the logits and of the targets. That of the logits is the gradient times
  /// softmax * (the targets' sum) - target.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let (x, t) = (saved[0], saved[1])
    let gradients = gradient.scalars.map { Double($0) }
    return wants.enumerated().map { index, wanted in
      guard wanted else { return nil }
      return Tensor(shape: x.shape) { result in
        Self.forEachRow(x, t) { row, logarithms, targets in
          let total = targets.reduce(0, +)
          for (i, (logarithm, target)) in zip(logarithms, targets).enumerated() {
            let slope = index == 0 ? exp(logarithm) * total - target : -logarithm
            result[row * targets.count + i] = Float(gradients[row] * slope)
          }
        }
      }
    }
  }

  /// Calls `body` with the index, the log-softmax and the targets of each row.
  private static func forEachRow(
    _ x: Tensor, _ t: Tensor, _ body: (Int, [Double], [Double]) -> Void
  ) {
    let classes = x.shape.last ?? 1
    x.withUnsafeBuffer { x in
      t.withUnsafeBuffer { t in
        for row in 0..<x.count / classes {
          let range = row * classes..<(row + 1) * classes
          let logits = x[range].map { Double($0) }
          let largest = logits.max() ?? 0
          let total = largest + log(logits.reduce(0) { $0 + exp($1 - largest) })
          body(row, logits.map { $0 - total }, t[range].map { Double($0) })
        }
      }
    }
  }
}

extension Tensor {
  /// The cross-entropy of these logits, [samples, classes], against the class of each sample. It
  /// equals `torch.nn.CrossEntropyLoss`.
  ///
  /// - Parameters:
  ///   - classes: The correct class of each sample.
  ///   - smoothing: The part of each target that is spread evenly over all classes.
  ///   - classWeights: A weight for each class; nil: all are 1. The mean divides by the sum of the
  ///     weights of the correct classes.
  ///   - reduction: The way to combine the losses.
  public func crossEntropy(
    classes: [Int], smoothing: Float = 0, classWeights: [Float]? = nil,
    reduction: LossReduction = .mean
  ) -> Tensor {
    precondition(
      rank == 2 && shape[0] == classes.count && classes.allSatisfy { (0..<shape[1]).contains($0) },
      "cross-entropy: \(classes.count) classes do not fit logits \(shape)")
    let targets = Tensor(shape: shape) { t in
      t.initialize(repeating: 0)
      for (row, right) in classes.enumerated() { t[row * shape[1] + right] = 1 }
    }
    let losses = crossEntropies(targets, smoothing: smoothing, classWeights: classWeights)
    let divisor = classWeights.map { weights in classes.reduce(0) { $0 + weights[$1] } }
    return reduction(losses, divisor: divisor, "cross-entropy")
  }

  /// The cross-entropy of these logits, [samples, classes], against each sample's class
  /// probabilities, of the same shape, as for mixed samples. The mean divides by the number of
  /// samples.
  public func crossEntropy(
    probabilities: Tensor, smoothing: Float = 0, classWeights: [Float]? = nil,
    reduction: LossReduction = .mean
  ) -> Tensor {
    precondition(
      rank == 2 && shape == probabilities.shape,
      "cross-entropy: probabilities \(probabilities.shape) do not fit logits \(shape)")
    let losses = crossEntropies(
      probabilities, smoothing: smoothing, classWeights: classWeights)
    return reduction(losses, "cross-entropy")
  }

  private func crossEntropies(
    _ targets: Tensor, smoothing: Float, classWeights: [Float]?
  ) -> Tensor {
    precondition(
      (0...1).contains(smoothing) && (classWeights?.count ?? shape[1]) == shape[1],
      "cross-entropy: smoothing \(smoothing) or \(classWeights?.count ?? 0) class weights do not"
        + " fit logits \(shape)")
    var targets = targets
    if smoothing > 0 { targets = targets * (1 - smoothing) + smoothing / Float(shape[1]) }
    if let classWeights { targets = targets * Tensor(classWeights, shape: [shape[1]]) }
    return CrossEntropy()(self, targets)
  }
}
