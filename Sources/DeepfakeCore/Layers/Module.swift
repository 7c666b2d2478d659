/// A part of a network: a function of one tensor with parameters.
public protocol Module: Sendable {
  /// The output for `x`; `mode` says whether dropout drops and batch norm measures.
  func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor
}

extension Module {
  /// The output at inference.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    self(x, .inference)
  }
}
