/// The amount of work of one call of a layer, independent of the method that computes it.
package struct LayerWork: Sendable, Hashable {
  /// The kind of a layer.
  package enum Kind: String, Sendable {
    /// A convolution that is neither pointwise nor depthwise.
    case convolution
    /// A 1x1 convolution: a matrix product over pixels.
    case pointwise
    /// A convolution that treats each channel separately.
    case depthwise
    /// A fully connected layer.
    case linear
    /// A level of an LSTM.
    case recurrent
    /// A norm with its activation.
    case norm
    /// Several layers that run as one.
    case block
  }

  package var kind: Kind
  /// The input's shape, usually [batch, height, width, channels].
  package var input: [Int]
  package var output: [Int]
  /// The number of multiplications with a following addition.
  package var multiplyAdds: Int
  package var weightBytes: Int
  /// The minimum number of bytes to move: weights, input and output, each once.
  package var bytes: Int

  /// The work of a layer with Float32 input, output and weights. `weights` is their number.
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

  /// The work of layers that run as one, in order. The data between them is not counted in `bytes`.
  package init(fusing parts: [LayerWork]) {
    self.init(
      .block, input: parts.first?.input ?? [0], output: parts.last?.output ?? [0],
      weights: parts.reduce(0) { $0 + $1.weightBytes } / 4,
      multiplyAdds: parts.reduce(0) { $0 + $1.multiplyAdds })
  }
}
