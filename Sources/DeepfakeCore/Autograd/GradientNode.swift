import CDFKernels
import Synchronization

/// A node in the record of a computation: the output of a call, or a tensor whose gradient is
/// wanted.
///
/// Only the thread that runs `valueAndGrad` uses a node; hence `@unchecked Sendable`.
final class GradientNode: @unchecked Sendable {
  /// A tensor saved for a pullback: either the tensor itself, or the output of a call that can be
  /// computed again.
  enum Saved {
    case tensor(Tensor)
    case output(of: GradientNode)
  }

  /// The origin of a node's value.
  enum Source {
    /// A parameter, or a watched tensor (nil).
    case leaf(Parameter?)
    case call(any Operation, saved: [Saved])
    /// A checkpointed block. It is computed again, with recording, when its gradient is needed.
    case block(input: Tensor, body: (Tensor) -> Tensor)
    /// Backward has passed this node and freed what it kept.
    case released
  }

  private static let records = Atomic(0)

  /// A number for a new tape or trace. Nodes name their record by number, because a tensor can
  /// outlive the record that its node is on.
  static func newRecord() -> Int { records.add(1, ordering: .relaxed).newValue }

  /// The number of the tape or trace that the node is on.
  let tape: Int
  let shape: [Int]
  private(set) var source: Source
  private(set) var inputs: [GradientNode?]
  private(set) var gradient: Tensor?
  private var remade: Tensor?

  init(on tape: Int, shape: [Int], source: Source, inputs: [GradientNode?] = []) {
    self.tape = tape
    self.shape = shape
    self.source = source
    self.inputs = inputs
  }

  /// Whether this node's output can be computed again, so that no other node has to keep a copy.
  var canRecompute: Bool {
    if case .call(let operation, _) = source { operation.canRecompute } else { false }
  }

  /// The saved tensors to give to the pullback; outputs that were not kept are computed again.
  var resolvedSaved: [Tensor] {
    guard case .call(_, let saved) = source else { return [] }
    return saved.map {
      switch $0 {
      case .tensor(let tensor): tensor
      case .output(let node): node.remadeOutput()
      }
    }
  }

  /// Computes the output again and keeps it until this node's own pullback has run.
  private func remadeOutput() -> Tensor {
    if let remade { return remade }
    guard case .call(let operation, _) = source else {
      preconditionFailure("\(source) cannot be recomputed: it is not a call")
    }
    let saved = resolvedSaved
    guard let output = CallTimes.timed(operation, .recompute, { operation.recompute(saved: saved) })
    else {
      preconditionFailure("\(operation) cannot be recomputed")
    }
    remade = output
    return output
  }

  /// Adds `gradient` to the gradient of the loss with respect to this node's value.
  func add(_ gradient: Tensor) {
    precondition(
      gradient.shape == shape, "gradient of shape \(gradient.shape) for a tensor of \(shape)")
    if self.gradient == nil {
      self.gradient = gradient.detached
    } else {
      self.gradient?.accumulate(gradient)
    }
  }

  /// Returns the gradient and removes it from this node.
  func takeGradient() -> Tensor? {
    defer { gradient = nil }
    return gradient
  }

  /// Frees everything but the gradient.
  func release() {
    source = .released
    inputs = []
    remade = nil
  }
}

extension Tensor {
  /// The same elements without a link to any recording; gradients do not flow through the result.
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
