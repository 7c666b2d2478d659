import CDFKernels

extension Tensor? {
  /// Calls `body` with the elements, or nil where there is no tensor.
  func withUnsafePointer<R>(_ body: (UnsafePointer<Float>?) throws -> R) rethrows -> R {
    guard let self else { return try body(nil) }
    return try self.withUnsafeBuffer { try body($0.baseAddress) }
  }
}

/// Calls `body` with what a kernel does to its output: add `bias`, activate, add `residual`.
func withEpilogue<R>(
  bias: Tensor?, activation: Activation, residual: Tensor?,
  _ body: (UnsafePointer<df_epilogue>) throws -> R
) rethrows -> R {
  try bias.withUnsafePointer { bias in
    try residual.withUnsafePointer { residual in
      var epilogue = df_epilogue(
        bias: bias, residual: residual, activation: activation.kernel, slope: activation.slope)
      return try withUnsafePointer(to: &epilogue) { try body($0) }
    }
  }
}
