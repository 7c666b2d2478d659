import CDFKernels

extension Tensor? {
  /// Calls `body` with the elements, or nil where there is no tensor.
  func withUnsafePointer<R>(_ body: (UnsafePointer<Float>?) throws -> R) rethrows -> R {
    guard let self else { return try body(nil) }
    return try self.withUnsafeBuffer { try body($0.baseAddress) }
  }
}

/// Calls `body` with what a kernel does to its output: add `bias`, activate, add `residual`.
/// `slopes` are those of a PReLU, which takes the activation's place. `thenReLU` ends it with a
/// ReLU; there is no other activation then.
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
