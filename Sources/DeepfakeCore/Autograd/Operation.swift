/// A function of tensors together with its gradient. Every computation is made of operations,
/// except fused inference.
///
/// An operation is a value that holds its settings (stride, axis, ...). Forward and pullback are
/// written next to each other. Every call passes through `callAsFunction`, the only place where
/// `valueAndGrad` can record it.
package protocol Operation: Sendable {
  /// Computes the output, and returns it with the tensors that `pullback` needs, which can include
  /// inputs.
  ///
  /// Shapes that do not fit are programmer errors: the program stops with a message that names
  /// them.
  func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor])

  /// Computes the gradients of the loss with respect to the inputs, from its gradient with respect
  /// to the output.
  ///
  /// - Returns: One gradient for each input, of that input's shape. Nil means zero. Values for
  ///   inputs that `wants` does not ask for are ignored. If a tensor is used several times, the
  ///   engine adds up the gradients.
  func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?]

  /// Computes the output again from the tensors that `forward` saved; nil if that is not cheap.
  ///
  /// If an operation can do this, the engine keeps no copies of its output: a call that saved the
  /// output gets it computed again.
  func recompute(saved: [Tensor]) -> Tensor?
  /// Whether `recompute` returns an output.
  var canRecompute: Bool { get }
}

extension Operation {
  /// By default an output cannot be computed again.
  package func recompute(saved: [Tensor]) -> Tensor? { nil }
  /// False by default.
  package var canRecompute: Bool { false }

  /// Applies the operation to `inputs`, and records the call if `valueAndGrad` is running.
  package func callAsFunction(_ inputs: Tensor...) -> Tensor {
    self(inputs)
  }

  /// Applies the operation to a list of inputs, and records the call if `valueAndGrad` is running.
  package func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    guard let tape = Tape.current, tape.follows(inputs) else { return forward(inputs).output }
    return tape.record(self, inputs)
  }
}
