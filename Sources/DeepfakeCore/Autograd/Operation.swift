/// A function of tensors, the unit that everything computed outside fused inference is made of.
///
/// An operation is a value that holds its settings (stride, axis, ...). `forward` returns the result
/// and whatever a pullback needs beside the inputs. Every call passes through
/// `callAsFunction`, the one place where a recording engine sees it.
public protocol Operation: Sendable {
  /// The result, and the tensors that a gradient of this call would need, inputs included.
  ///
  /// Shapes that do not fit are programmer errors and stop with a message that names them.
  func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor])
}

extension Operation {
  /// Applies the operation.
  public func callAsFunction(_ inputs: Tensor...) -> Tensor {
    forward(inputs).output
  }

  /// Applies the operation to a list.
  public func callAsFunction(_ inputs: [Tensor]) -> Tensor {
    forward(inputs).output
  }
}
