/// A function of tensors with its gradient, the unit that everything computed outside fused
/// inference is made of.
///
/// An operation is a value that holds its settings (stride, axis, ...). Forward and pullback stand
/// side by side. Every call passes through `callAsFunction`, the one place where a recording engine
/// (`valueAndGrad`) sees it.
package protocol Operation: Sendable {
  /// The result, and the tensors that `pullback` needs, inputs included.
  ///
  /// Shapes that do not fit are programmer errors and stop with a message that names them.
  func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor])

  /// The gradients of the loss by the inputs, given its gradient by the output.
  ///
  /// One for each input, of that input's shape, wherever `wants` says so; anything elsewhere is
  /// ignored, and nil means zero. Gradients of several uses of a tensor are added up by the engine.
  func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?]

  /// The output once more, from what `forward` saved; nil where that is not cheap.
  ///
  /// Where it is, the engine keeps nobody a copy of the output: whoever saved it gets it remade.
  func remake(saved: [Tensor]) -> Tensor?
  /// Whether `remake` gives an output.
  var isRemade: Bool { get }
}

extension Operation {
  /// Nothing is remade unless an operation says so.
  package func remake(saved: [Tensor]) -> Tensor? { nil }
  /// False unless an operation says so.
  package var isRemade: Bool { false }

  /// Applies the operation.
  package func callAsFunction(_ inputs: Tensor...) -> Tensor {
    self(inputs)
  }

  /// Applies the operation to a list.
  package func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    guard let tape = Tape.current, tape.follows(inputs) else { return forward(inputs).output }
    return tape.record(self, inputs)
  }
}
