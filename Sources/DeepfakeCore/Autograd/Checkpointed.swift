/// A block of which a recording keeps the input alone: backward computes the block once more (Chen
/// et al. 2016). A third more work for memory that no longer grows with the block's depth.
///
/// What the block drops at random it drops alike both times.
package struct Checkpointed<Body: Module>: Module {
  /// The block.
  package let body: Body

  /// A block that is computed again in backward.
  package init(_ body: Body) {
    self.body = body
  }

  /// The block's output.
  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    guard let tape = Tape.current else { return body(x, mode) }
    return tape.recordBlock(x) { [body] in body($0, mode) }
  }
}

extension Module {
  /// The output of a network's block: checkpointed where the training step wants its blocks
  /// recomputed.
  public func asBlock(_ x: Tensor, _ mode: Mode) -> Tensor {
    if case .training(let context) = mode, context.recomputesBlocks {
      return Checkpointed(self)(x, mode)
    }
    return self(x, mode)
  }
}
