/// What one call of a layer has to do, whichever way it does it.
package struct LayerWork: Sendable, Hashable {
  /// What the layer is.
  package enum Kind: String, Sendable {
    /// A convolution, but for the next two kinds.
    case convolution
    /// A convolution of 1x1: a matrix product over pixels.
    case pointwise
    /// A convolution of each channel by itself.
    case depthwise
    /// A fully connected layer.
    case linear
    /// A norm and its activation.
    case norm
    /// Several layers in one.
    case block
  }

  /// What the layer is.
  package var kind: Kind
  /// The input's shape, [batch, height, width, channels] as a rule.
  package var input: [Int]
  /// The output's shape.
  package var output: [Int]
  /// Multiplications followed by an addition.
  package var multiplyAdds: Int
  package var weightBytes: Int
  /// Bytes that must be moved at least: weights, input and output, each once.
  package var bytes: Int

  /// The work of a layer of Float32 in, out and weights.
  package init(
    _ kind: Kind, input: [Int], output: [Int], weights: Int, multiplyAdds: Int
  ) {
    self.kind = kind
    self.input = input
    self.output = output
    self.multiplyAdds = multiplyAdds
    weightBytes = 4 * weights
    bytes = weightBytes + 4 * (input.reduce(1, *) + output.reduce(1, *))
  }

  /// The work of layers that run as one, in order: what lies between them is not moved.
  package init(fusing parts: [LayerWork]) {
    self.init(
      .block, input: parts.first?.input ?? [0], output: parts.last?.output ?? [0],
      weights: parts.reduce(0) { $0 + $1.weightBytes } / 4,
      multiplyAdds: parts.reduce(0) { $0 + $1.multiplyAdds })
  }
}
