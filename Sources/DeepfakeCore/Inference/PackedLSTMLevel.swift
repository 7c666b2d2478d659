import CDFKernels

/// One level of an LSTM with packed weights, for one direction or both.
struct PackedLSTMLevel: Sendable {
  /// The weights of one direction.
  struct Weights: Sendable {
    /// For the input, [inputs, 4 * hidden], and for the previous output, [hidden, 4 * hidden]; both
    /// in panels.
    var input, hidden: Tensor
    /// The sum of both biases, [4 * hidden].
    var bias: Tensor?
  }

  /// The number of input features, and of outputs of each direction.
  let inputs, hidden: Int
  let direction: LSTMDirection
  /// The weights of each direction, in the order of `direction`.
  let weights: [Weights]

  /// What a call computes.
  struct Result {
    /// [batch, steps + 2, directions * hidden]: the outputs of the steps, the last output, and the
    /// last cell.
    var output: Tensor
    /// The gates [directions, batch, steps, 4 * hidden].
    var gates: Tensor
    /// The cells [directions, batch, steps, hidden] if they are kept; otherwise empty.
    var cells: Tensor
  }

  /// Runs the level on x [batch, steps, inputs].
  ///
  /// - Parameters:
  ///   - lengths: The number of steps of each sequence; nil: all have all steps.
  ///   - states: The output and the cell before the first step, [batch, hidden], of each direction;
  ///     empty: zeros.
  ///   - keepsCells: Whether the result has the cells.
  func callAsFunction(
    _ x: Tensor, lengths: [Int]?, from states: [(hidden: Tensor, cell: Tensor)],
    keepsCells: Bool = false
  ) -> Result {
    let (batch, steps, hidden) = (x.shape[0], x.shape[1], hidden)
    let count = weights.count
    var (gates, cells) = (Tensor(zeros: [0]), Tensor(zeros: [0]))
    let output = Tensor(shape: [batch, steps + 2, count * hidden]) { output in
      if lengths != nil { output.initialize(repeating: 0) }
      gates = Tensor(shape: [count, batch, steps, 4 * hidden]) { gates in
        cells = Tensor(shape: keepsCells ? [count, batch, steps, hidden] : [0]) { cells in
          guard let output = output.baseAddress, let gates = gates.baseAddress else { return }
          nonisolated(unsafe) let (allOutput, allGates) = (output, gates)
          nonisolated(unsafe) let allCells = keepsCells ? cells.baseAddress : nil
          let size = batch * steps * hidden
          for index in 0..<count { addInput(x, weights[index], to: gates + 4 * index * size) }
          Parallel.forEach(count) { index in
            walk(index, batch: batch, steps: steps, lengths: lengths).run(
              LSTMWalk.Memory(
                gates: allGates + 4 * index * size, cells: allCells.map { $0 + index * size },
                output: allOutput + index * hidden),
              weight: weights[index].hidden, from: states.isEmpty ? nil : states[index])
          }
        }
      }
    }
    return Result(output: output, gates: gates, cells: cells)
  }

  /// The way of a direction through the steps.
  private func walk(_ index: Int, batch: Int, steps: Int, lengths: [Int]?) -> LSTMWalk {
    LSTMWalk(
      batch: batch, steps: steps, hidden: hidden, lengths: lengths,
      isReverse: direction.isReverse[index], outputStride: weights.count * hidden)
  }

  /// Writes the part of the gates' sums that comes from the input: one product for all steps.
  private func addInput(
    _ x: Tensor, _ weights: Weights, to gates: UnsafeMutablePointer<Float>
  ) {
    x.withUnsafeBuffer { x in
      weights.input.withUnsafeBuffer { packed in
        withEpilogue(bias: weights.bias, activation: .identity, slopes: nil, residual: nil) {
          df_f32_gemm_packed(
            x.count / inputs, 4 * hidden, inputs, x.baseAddress, inputs, packed.baseAddress, gates,
            4 * hidden, $0)
        }
      }
    }
  }

  /// The amount of work of a call.
  func work(batch: Int, steps: Int) -> LayerWork {
    let elements = weights.count * 4 * hidden * (inputs + hidden)
    return LayerWork(
      .recurrent, input: [batch, steps, inputs], output: [batch, steps, weights.count * hidden],
      weights: elements, multiplyAdds: batch * steps * elements)
  }
}
