/// Leaky ReLU with a learned slope for each channel of the last axis (He et al. 2015).
public struct PReLU: Module {
  /// The slopes, [channels].
  public let weight: Parameter

  /// Creates an activation of `channels` channels; the slopes start at 0.25.
  public init(_ scope: Scope, _ channels: Int) {
    weight = scope.parameter(
      "weight", shape: [channels], role: .affine, initializer: .constant(0.25))
  }

  /// The activated `x`, [..., channels].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    x.prelu(weight.value)
  }
}

extension PReLU {
  /// The slopes for the output of the layer with `key`. That layer must have the same number of
  /// channels.
  func slopes(channels: Int, after key: String) -> Tensor {
    precondition(
      weight.shape == [channels],
      "\(weight.key): \(weight.shape) does not fit \(key) with \(channels) outputs")
    return weight.value
  }
}
