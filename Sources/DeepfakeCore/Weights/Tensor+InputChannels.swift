extension Tensor {
  /// The weights of a first convolution, [height, width, inputs, outputs], for another number of
  /// input channels, by the rule of timm's `adapt_input_conv`.
  ///
  /// - One channel: the sum over the inputs. If the inputs are 3 n, groups of three are summed, and
  ///   n channels are left.
  /// - More, from three: the three channels are repeated in their order, the last repetition cut
  ///   off, and multiplied by 3 / `channels`, which keeps the size of the outputs.
  ///
  /// - Returns: The weights; nil where the rule has none: from another number than three to more
  ///   than one.
  package func adaptedToInput(channels: Int) -> Tensor? {
    precondition(rank == 4 && channels > 0, "adaptedToInput: \(shape) to \(channels) channels")
    let (height, width, inputs, outputs) = (shape[0], shape[1], shape[2], shape[3])
    if channels == 1 {
      guard inputs > 3 else { return sum(axes: [2], keepsDimensions: true) }
      guard inputs % 3 == 0 else { return nil }
      return reshaped([height, width, inputs / 3, 3, outputs]).sum(axes: [3])
    }
    if channels == inputs { return self }
    guard inputs == 3 else { return nil }
    let repeated = [Tensor](repeating: self, count: channels.dividedRoundingUp(by: 3))
    return Tensor.concatenated(repeated, axis: 2).slice(axis: 2, 0..<channels)
      * (3 / Float(channels))
  }
}
