/// A fully connected layer over the last axis.
///
/// ```swift
/// let store = ParameterStore()
/// let classifier = Linear(store.root / "classifier", 1280, 1)
/// store.initialize(seed: 1)
/// let logits = classifier(features)  // [batch, 1] for features of [batch, 1280]
/// ```
public struct Linear: Module {
  /// The weights, [in, out]; [out, in] in files.
  public let weight: Parameter
  /// The bias, [out], or nil.
  public let bias: Parameter?

  /// Creates a layer from `inputs` to `outputs` features.
  public init(_ scope: Scope, _ inputs: Int, _ outputs: Int, bias: Bool = true) {
    let bound = 1 / Float(max(1, inputs)).squareRoot()
    weight = scope.parameter(
      "weight", shape: [inputs, outputs], layout: .linear, role: .weight,
      initializer: .uniform(bound: bound))
    self.bias =
      bias
      ? scope.parameter(
        "bias", shape: [outputs], role: .affine, initializer: .uniform(bound: bound)) : nil
  }

  /// Maps [..., in] to [..., out].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    precondition(
      x.shape.last == weight.shape[0],
      "Linear \(weight.key): input \(x.shape) does not have \(weight.shape[0]) features")
    let rows = x.reshaped([x.count / max(1, weight.shape[0]), weight.shape[0]])
    var y = rows.matmul(weight.value)
    if let bias { y = y + bias.value }
    return y.reshaped(x.shape.dropLast() + [weight.shape[1]])
  }
}
