/// A function of tensors together with its gradient. Every computation is made of operations,
/// except fused inference.
///
/// An operation is a value that holds its settings (stride, axis, ...). Forward and pullback are
/// written next to each other, and so is the form that the operation has in an ONNX file. Every
/// call passes through `callAsFunction`, the only place where it can be recorded.
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

  /// Adds the ONNX nodes that compute the output.
  ///
  /// - Parameters:
  ///   - graph: The graph that is built.
  ///   - inputs: The inputs of the call; at least one is a value of the graph.
  ///   - output: The output's shape.
  /// - Returns: The output as a value of the graph.
  /// - Throws: `ONNXExportError` if ONNX cannot say this call.
  func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue
}

extension Operation {
  /// By default an output cannot be computed again.
  package func recompute(saved: [Tensor]) -> Tensor? { nil }
  /// False by default.
  package var canRecompute: Bool { false }

  /// By default an operation has no ONNX form: losses are not exported.
  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    throw ONNXExportError("\(type(of: self)) has no ONNX form")
  }

  /// Applies the operation to `inputs`, and records the call if a recorder is running.
  package func callAsFunction(_ inputs: Tensor...) -> Tensor {
    self(inputs)
  }

  /// Applies the operation to a list of inputs, and records the call if a recorder is running.
  package func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    guard let recorder = Recording.current, recorder.follows(inputs) else {
      return forward(inputs).output
    }
    return recorder.record(self, inputs)
  }
}

/// What follows the calls of a computation: the tape of `valueAndGrad`, or the trace of an export.
protocol CallRecorder: AnyObject, Sendable {
  /// Whether a call with these inputs is recorded.
  func follows(_ tensors: [Tensor]) -> Bool
  /// Runs an operation and records the call.
  func record(_ operation: some Operation, _ inputs: [Tensor]) -> Tensor
  /// The value of a parameter, linked to the record if it belongs there.
  func leaf(_ parameter: Parameter, _ value: Tensor) -> Tensor
  /// Runs a checkpointed block (see `Checkpointed`).
  func recordBlock(_ input: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor
}

/// The recorder of the running task.
enum Recording {
  @TaskLocal static var current: (any CallRecorder)?
}
