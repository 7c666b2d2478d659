/// A block whose activations are not kept for the backward pass: only its input is kept, and
/// backward computes the block again (gradient checkpointing, Chen et al. 2016). This costs about a
/// third more computation; the memory no longer grows with the block's depth.
///
/// Dropout draws the same random values both times.
package struct Checkpointed<Body: Module>: Module {
  /// The block that is computed again in the backward pass.
  package let body: Body

  /// Wraps a block so that backward computes it again.
  package init(_ body: Body) {
    self.body = body
  }

  /// The output of the block. Without a recording, the block runs as usual.
  package func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    guard let recorder = Recording.current else { return body(x, mode) }
    return recorder.recordBlock(x) { [body] in body($0, mode) }
  }
}

extension Module {
  /// The output of this module as a block of a network. The block is checkpointed if the training
  /// context asks for it (`recomputesBlocks`).
  public func asBlock(_ x: Tensor, _ mode: Mode) -> Tensor {
    if case .training(let context) = mode, context.recomputesBlocks {
      return Checkpointed(self)(x, mode)
    }
    return self(x, mode)
  }
}
