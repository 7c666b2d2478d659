import CDFKernels

/// A group norm prepared for inference, fused with activation and residual. It works in place if
/// nothing else refers to its input's memory, for example a convolution's result passed on
/// directly.
package struct FusedGroupNorm: Sendable {
  private let key: String
  private let operation: GroupNormalization
  private let scale: Tensor
  private let shift: Tensor
  private let activation: Activation

  /// Takes over the values of `norm`, which `activation` follows, and releases its parameters.
  package init(_ norm: GroupNorm, activation: Activation = .identity) {
    key = norm.weight.key
    operation = GroupNormalization(groups: norm.groups, epsilon: norm.epsilon)
    scale = norm.weight.value
    shift = norm.bias.value
    self.activation = activation
    norm.weight.release()
    norm.bias.release()
  }

  /// The normalised and activated [batch, ..., channels], plus `residual` of the same shape.
  package func callAsFunction(_ x: consuming Tensor, residual: Tensor? = nil) -> Tensor {
    precondition(
      residual.map { $0.shape == x.shape } ?? true,
      "\(key): residual \(residual?.shape ?? []) does not have the input's shape \(x.shape)")
    var output = consume x
    normalize(&output, residual: residual)
    return output
  }

  private func normalize(_ x: inout Tensor, residual: Tensor?) {
    let channels = operation.checkedChannels(x, scale, shift)
    let (batch, count) = (x.shape[0], x.count)
    guard count > 0 else { return }
    let shape = x.shape
    LayerTimes.measure(key, work: work(shape)) {
      x.rewrite { x, y in
        residual.withUnsafePointer { residual in
          scale.withUnsafeBuffer { scale in
            shift.withUnsafeBuffer { shift in
              df_f32_group_norm(
                batch, count / (batch * channels), channels, operation.groups, operation.epsilon,
                x, scale.baseAddress, shift.baseAddress, residual, y, activation.kernel,
                activation.slope, nil)
            }
          }
        }
      }
    }
  }

  /// The work of one call: each element is squared and summed, then scaled and shifted.
  private func work(_ shape: [Int]) -> LayerWork {
    LayerWork(
      .norm, input: shape, output: shape, weights: 2 * scale.count,
      multiplyAdds: 2 * shape.reduce(1, *))
  }
}
