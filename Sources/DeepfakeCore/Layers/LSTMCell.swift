/// One step of a long short-term memory (Hochreiter and Schmidhuber 1997), as in
/// `torch.nn.LSTMCell`. The order of the gates is input, forget, cell, output.
public struct LSTMCell: Sendable {
  /// The state that a cell passes from step to step.
  public struct State: Sendable {
    /// The output of the last step, [batch, hidden].
    public var hidden: Tensor
    /// The memory of the cell, [batch, hidden].
    public var cell: Tensor

    /// Creates a state from two tensors of one shape.
    public init(hidden: Tensor, cell: Tensor) {
      self.hidden = hidden
      self.cell = cell
    }
  }

  /// The weights for the input, [inputs, 4 * hidden]; [4 * hidden, inputs] in files.
  public let inputWeight: Parameter
  /// The weights for the previous output, [hidden, 4 * hidden]; [4 * hidden, hidden] in files.
  public let hiddenWeight: Parameter
  /// The two biases of the gates, [4 * hidden] each; the cell adds both.
  public let inputBias, hiddenBias: Parameter
  /// The number of outputs.
  public let hidden: Int

  /// Creates a cell with `inputs` input features and `hidden` outputs.
  public init(_ scope: Scope, _ inputs: Int, _ hidden: Int) {
    let bound = Initializer.uniform(bound: 1 / Float(max(1, hidden)).squareRoot())
    inputWeight = scope.parameter(
      "weight_ih", shape: [inputs, 4 * hidden], layout: .linear, role: .weight, initializer: bound)
    hiddenWeight = scope.parameter(
      "weight_hh", shape: [hidden, 4 * hidden], layout: .linear, role: .weight, initializer: bound)
    inputBias = scope.parameter(
      "bias_ih", shape: [4 * hidden], role: .affine, initializer: bound)
    hiddenBias = scope.parameter(
      "bias_hh", shape: [4 * hidden], role: .affine, initializer: bound)
    self.hidden = hidden
  }

  /// The state before the first step: zeros.
  public func initialState(batch: Int) -> State {
    State(hidden: Tensor(zeros: [batch, hidden]), cell: Tensor(zeros: [batch, hidden]))
  }

  /// The state after a step with input `x`, [batch, inputs].
  public func callAsFunction(_ x: Tensor, _ state: State) -> State {
    precondition(
      x.rank == 2 && x.shape[1] == inputWeight.shape[0]
        && state.hidden.shape == [x.shape[0], hidden] && state.cell.shape == state.hidden.shape,
      "LSTMCell \(inputWeight.key): input \(x.shape) and state \(state.hidden.shape),"
        + " \(state.cell.shape) do not fit")
    let gates =
      x.matmul(inputWeight.value) + inputBias.value + state.hidden.matmul(hiddenWeight.value)
      + hiddenBias.value
    let parts = (0..<4).map { gates.slice(axis: 1, $0 * hidden..<($0 + 1) * hidden) }
    let cell =
      parts[1].sigmoid() * state.cell + parts[0].sigmoid() * parts[2].tanh()
    return State(hidden: parts[3].sigmoid() * cell.tanh(), cell: cell)
  }
}
