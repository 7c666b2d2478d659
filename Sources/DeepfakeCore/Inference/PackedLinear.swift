import CDFKernels

/// A fully connected layer packed for inference, with its activation fused.
package struct PackedLinear: Sendable {
  /// The number of input features.
  package let inputs: Int
  /// The number of output features.
  package let outputs: Int

  private let key: String
  private let packed: Tensor
  private let bias: Tensor?
  private let activation: Activation
  private let slopes: Tensor?

  /// Packs `linear`, followed by `activation` or `prelu`, and releases their parameters.
  package init(_ linear: Linear, activation: Activation = .identity, prelu: PReLU? = nil) {
    slopes = prelu.map { $0.slopes(channels: linear.weight.shape[1], after: linear.weight.key) }
    let (inputs, outputs) = (linear.weight.shape[0], linear.weight.shape[1])
    self.inputs = inputs
    self.outputs = outputs
    self.activation = activation
    key = linear.weight.key
    bias = linear.bias?.value
    packed = linear.weight.packedInPanels()
    linear.weight.release()
    linear.bias?.release()
    prelu?.weight.release()
  }

  /// Maps [..., in] to [..., out].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    precondition(
      x.shape.last == inputs, "\(key): input \(x.shape) does not have \(inputs) features")
    let shape = Array(x.shape.dropLast()) + [outputs]
    let rows = x.count / max(1, inputs)
    return LayerTimes.measure(
      key,
      work: LayerWork(
        .linear, input: x.shape, output: shape, weights: inputs * outputs,
        multiplyAdds: rows * inputs * outputs)
    ) {
      Tensor(shape: shape) { y in
        x.withUnsafeBuffer { x in
          packed.withUnsafeBuffer { packed in
            withEpilogue(bias: bias, activation: activation, slopes: slopes, residual: nil) {
              epilogue in
              df_f32_gemm_packed(
                rows, outputs, inputs, x.baseAddress, inputs, packed.baseAddress, y.baseAddress,
                outputs, epilogue)
            }
          }
        }
      }
    }
  }
}
