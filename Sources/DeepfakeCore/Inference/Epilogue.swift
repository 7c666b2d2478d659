import CDFKernels

extension Tensor? {
  /// Calls `body` with a pointer to the elements, or with nil if there is no tensor.
  func withUnsafePointer<R>(_ body: (UnsafePointer<Float>?) throws -> R) rethrows -> R {
    guard let self else { return try body(nil) }
    return try self.withUnsafeBuffer { try body($0.baseAddress) }
  }
}

/// Calls `body` with the steps that a kernel applies to its output: add `bias`, apply `activation`,
/// add `residual`. `slopes` are the slopes of a PReLU, which replaces the activation. With
/// `thenReLU`, a ReLU after the sum replaces the activation.
func withEpilogue<R>(
  bias: Tensor?, activation: Activation, slopes: Tensor?, residual: Tensor?, thenReLU: Bool = false,
  _ body: (UnsafePointer<df_epilogue>) throws -> R
) rethrows -> R {
  try bias.withUnsafePointer { bias in
    try residual.withUnsafePointer { residual in
      try slopes.withUnsafePointer { slopes in
        var epilogue = df_epilogue(
          bias: bias, residual: residual,
          activation: slopes == nil ? activation.kernel : DF_LEAKY_RELU, slope: activation.slope,
          slopes: slopes, residual_first: thenReLU)
        if thenReLU { epilogue.activation = DF_RELU }
        return try withUnsafePointer(to: &epilogue) { try body($0) }
      }
    }
  }
}
