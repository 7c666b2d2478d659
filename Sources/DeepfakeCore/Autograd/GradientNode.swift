import CDFKernels

/// A place in the record of a computation: a call's output, or a tensor whose gradient is asked
/// for.
///
/// Touched only by the thread that runs `valueAndGrad`; hence `@unchecked Sendable`.
final class GradientNode: @unchecked Sendable {
  /// What a pullback will get: a tensor that is kept, or the output of a call that can be remade.
  enum Saved {
    case tensor(Tensor)
    case output(of: GradientNode)
  }

  /// Where a node's value came from.
  enum Source {
    /// A parameter, or a watched tensor.
    case leaf(Parameter?)
    case call(any Operation, saved: [Saved])
    /// A block that is computed again, recorded this time, when its gradient is needed.
    case block(input: Tensor, body: (Tensor) -> Tensor)
    /// Passed by backward.
    case released
  }

  /// The number of the tape that the node is on.
  let tape: Int
  let shape: [Int]
  private(set) var source: Source
  private(set) var inputs: [GradientNode?]
  private(set) var gradient: Tensor?
  private var remade: Tensor?

  init(on tape: Tape, shape: [Int], source: Source, inputs: [GradientNode?] = []) {
    self.tape = tape.number
    self.shape = shape
    self.source = source
    self.inputs = inputs
  }

  /// Whether others' saved copies of the output can be left out.
  var isRemade: Bool {
    if case .call(let operation, _) = source { operation.isRemade } else { false }
  }

  /// What the pullback gets.
  var resolvedSaved: [Tensor] {
    guard case .call(_, let saved) = source else { return [] }
    return saved.map {
      switch $0 {
      case .tensor(let tensor): tensor
      case .output(let node): node.remadeOutput()
      }
    }
  }

  /// The output, made once more and kept until this node's own pullback has run.
  private func remadeOutput() -> Tensor {
    if let remade { return remade }
    guard case .call(let operation, _) = source else {
      preconditionFailure("\(source) was to be remade and is no call")
    }
    let saved = resolvedSaved
    guard let output = CallTimes.timed(operation, .remake, { operation.remake(saved: saved) })
    else {
      preconditionFailure("\(operation) was to be remade and cannot")
    }
    remade = output
    return output
  }

  /// Adds to the gradient of the loss by this node's value.
  func add(_ gradient: Tensor) {
    precondition(
      gradient.shape == shape, "gradient of shape \(gradient.shape) for a tensor of \(shape)")
    if self.gradient == nil {
      self.gradient = gradient.detached
    } else {
      self.gradient?.accumulate(gradient)
    }
  }

  /// The gradient, which is no longer kept here.
  func takeGradient() -> Tensor? {
    defer { gradient = nil }
    return gradient
  }

  /// Forgets everything but the gradient.
  func release() {
    source = .released
    inputs = []
    remade = nil
  }
}

extension Tensor {
  /// The same elements, unknown to any recording: what gradients must not flow through.
  public var detached: Tensor {
    guard node != nil else { return self }
    return viewed(as: shape)
  }

  /// Adds `other`, of the same shape, to every element; in place where the memory is not shared.
  mutating func accumulate(_ other: Tensor) {
    precondition(other.shape == shape, "accumulate: \(other.shape) onto \(shape)")
    let count = count
    other.withUnsafeBuffer { other in
      rewrite { old, new in
        guard let start = other.baseAddress else { return }
        nonisolated(unsafe) let (old, new, added) = (old, new, start)
        Parallel.forEachBlock(count) { block in
          let first = block.lowerBound
          df_f32_add(block.count, old + first, added + first, new + first)
        }
      }
    }
  }
}
