/// A long short-term memory over sequences (Hochreiter and Schmidhuber 1997), with the parameters
/// of `torch.nn.LSTM`. The order of the gates is input, forget, candidate, output.
///
/// ```swift
/// let store = ParameterStore()
/// let lstm = LSTM(store.root / "lstm", 2304, 512, layers: 2, isBidirectional: true)
/// store.initialize(seed: 1)
/// let frames = lstm(features)  // [batch, steps, 1024] for features of [batch, steps, 2304]
/// // Sequences of 25 and of 18 steps, and the outputs at the end of each, by level and direction:
/// let summary = lstm(features, lengths: [25, 18]).final.hidden  // [4, 2, 512]
/// ```
///
/// One step at a time, such as for a stream, is a call with sequences of one step from the state of
/// the call before.
public struct LSTM: Module {
  /// The state that an LSTM passes from step to step. The first axis counts levels and, within a
  /// level, directions.
  public struct State: Sendable {
    /// The output of the last step, [levels * directions, batch, hidden].
    public var hidden: Tensor
    /// The memory of the cells, [levels * directions, batch, hidden].
    public var cell: Tensor

    /// Creates a state from two tensors of one shape.
    public init(hidden: Tensor, cell: Tensor) {
      self.hidden = hidden
      self.cell = cell
    }
  }

  /// What an LSTM computes from sequences.
  public struct Output: Sendable {
    /// The last level's outputs, [batch, steps, directions * hidden]: forward, then reverse. They
    /// are zero for steps that a sequence does not have.
    public var steps: Tensor
    /// The state of all levels after each sequence's last step; in reverse, after its first.
    public var final: State

    /// Creates an output from its parts.
    public init(steps: Tensor, final: State) {
      self.steps = steps
      self.final = final
    }
  }

  /// The number of input features.
  public let inputs: Int
  /// The number of outputs of each direction.
  public let hidden: Int
  private let direction: LSTMDirection
  private let levels: [Level]
  /// Which outputs of each level but the last one are dropped in training.
  private let dropouts: [Dropout]

  /// A level in its plain form, or packed.
  private enum Level: Sendable {
    case plain([Weights])
    case packed(PackedLSTMLevel, key: String)
  }

  /// The parameters of one direction of a level.
  private struct Weights: Sendable {
    let input, hidden: Parameter
    let biases: [Parameter]

    /// `suffix` is the end of the parameters' keys: `_l0` or `_l0_reverse`.
    init(_ scope: Scope, _ suffix: String, inputs: Int, hidden: Int, bias: Bool) {
      let bound = Initializer.uniform(bound: 1 / Float(hidden).squareRoot())
      func weight(_ name: String, _ inputs: Int) -> Parameter {
        scope.parameter(
          name + suffix, shape: [inputs, 4 * hidden], layout: .linear, role: .weight,
          initializer: bound)
      }
      input = weight("weight_ih", inputs)
      self.hidden = weight("weight_hh", hidden)
      biases = (bias ? ["bias_ih", "bias_hh"] : []).map {
        scope.parameter($0 + suffix, shape: [4 * hidden], role: .affine, initializer: bound)
      }
    }
  }

  /// Creates an LSTM from `inputs` to `hidden` features, or to twice as many if it is
  /// bidirectional.
  ///
  /// - Parameters:
  ///   - layers: The number of levels; each reads the outputs of the level before.
  ///   - isBidirectional: Whether other weights read each sequence in reverse, too.
  ///   - dropout: The probability that an output of a level, except the last, is dropped in
  ///     training, in 0..<1.
  ///   - bias: Whether there are biases. As in PyTorch there are two of each, which are added.
  public init(
    _ scope: Scope, _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false,
    dropout: Float = 0, bias: Bool = true
  ) {
    precondition(
      inputs > 0 && hidden > 0 && layers > 0,
      "LSTM \(scope.prefix): \(inputs) inputs, \(hidden) outputs, \(layers) layers")
    let direction = isBidirectional ? LSTMDirection.bidirectional : .forward
    self.inputs = inputs
    self.hidden = hidden
    self.direction = direction
    levels = (0..<layers).map { level in
      .plain(
        direction.isReverse.map { isReverse in
          Weights(
            scope, "_l\(level)" + (isReverse ? "_reverse" : ""),
            inputs: level == 0 ? inputs : direction.count * hidden, hidden: hidden, bias: bias)
        })
    }
    dropouts = (0..<layers - 1).map { Dropout(scope / "dropout_l\($0)", dropout) }
  }

  private init(packing lstm: LSTM) {
    inputs = lstm.inputs
    hidden = lstm.hidden
    direction = lstm.direction
    dropouts = lstm.dropouts
    levels = lstm.levels.map { [direction, hidden] level in
      guard case .plain(let weights) = level else { return level }
      let packed = PackedLSTMLevel(
        inputs: weights[0].input.shape[0], hidden: hidden, direction: direction,
        weights: weights.map {
          PackedLSTMLevel.Weights(
            input: $0.input.packedInPanels(), hidden: $0.hidden.packedInPanels(),
            bias: $0.biases.isEmpty ? nil : $0.biases[0].value + $0.biases[1].value)
        })
      for weights in weights {
        for parameter in [weights.input, weights.hidden] + weights.biases { parameter.release() }
      }
      return .packed(packed, key: weights[0].input.key)
    }
  }

  /// The outputs [batch, steps, directions * hidden] for x [batch, steps, inputs].
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    self(x, lengths: nil, mode).steps
  }

  /// The outputs and the final state for x [batch, steps, inputs].
  ///
  /// - Parameters:
  ///   - lengths: The number of steps of each sequence, at least 1, if not all have all steps. What
  ///     x has in further steps does not matter. In reverse, a sequence starts at its own last
  ///     step.
  ///   - state: The state before the first step; nil: zeros.
  public func callAsFunction(
    _ x: Tensor, lengths: [Int]?, from state: State? = nil, _ mode: Mode = .inference
  ) -> Output {
    let count = direction.count
    precondition(
      x.rank == 3 && x.shape[1] > 0 && x.shape[2] == inputs,
      "LSTM: input \(x.shape) is not [batch, steps, \(inputs)]")
    precondition(
      lengths.map { $0.count == x.shape[0] && $0.allSatisfy { (1...x.shape[1]).contains($0) } }
        ?? true, "LSTM: lengths \(lengths ?? []) do not fit input \(x.shape)")
    let (steps, stateShape) = (x.shape[1], [levels.count * count, x.shape[0], hidden])
    precondition(
      state.map { $0.hidden.shape == stateShape && $0.cell.shape == stateShape } ?? true,
      "LSTM: state \(state?.hidden.shape ?? []), \(state?.cell.shape ?? []) is not \(stateShape)")
    var x = x
    var (hiddens, cells): ([Tensor], [Tensor]) = ([], [])
    for (index, level) in levels.enumerated() {
      let first = (index * count..<(index + 1) * count).compactMap { place in
        state.map {
          (hidden: $0.hidden.stateOfDirection(place), cell: $0.cell.stateOfDirection(place))
        }
      }
      let found = run(level, x, lengths: lengths, from: first)
      x = found.slice(axis: 1, 0..<steps)
      hiddens += states(found.slice(axis: 1, steps..<steps + 1))
      cells += states(found.slice(axis: 1, steps + 1..<steps + 2))
      if index < dropouts.count { x = dropouts[index](x, mode) }
    }
    return Output(
      steps: x,
      final: State(
        hidden: .concatenated(hiddens, axis: 0), cell: .concatenated(cells, axis: 0)))
  }

  /// The output of a level as `LSTMSequence` has it.
  private func run(
    _ level: Level, _ x: Tensor, lengths: [Int]?, from states: [(hidden: Tensor, cell: Tensor)]
  ) -> Tensor {
    switch level {
    case .plain(let weights):
      let operation = LSTMSequence(
        direction, lengths: lengths, hasBias: !weights[0].biases.isEmpty,
        hasState: !states.isEmpty)
      var inputs = [x]
      for (index, weights) in weights.enumerated() {
        inputs += ([weights.input, weights.hidden] + weights.biases).map(\.value)
        if !states.isEmpty { inputs += [states[index].hidden, states[index].cell] }
      }
      return operation(inputs)
    case .packed(let packed, let key):
      return LayerTimes.measure(key, work: packed.work(batch: x.shape[0], steps: x.shape[1])) {
        packed(x, lengths: lengths, from: states).output
      }
    }
  }

  /// [batch, 1, directions * hidden] as [1, batch, hidden] for each direction.
  private func states(_ row: Tensor) -> [Tensor] {
    (0..<direction.count).map {
      row.slice(axis: 2, $0 * hidden..<($0 + 1) * hidden).transposed([1, 0, 2])
    }
  }

  /// The same LSTM with packed weights, for inference: the parameters are released in the store,
  /// and gradients do not flow through it.
  public func packed() -> LSTM { LSTM(packing: self) }

  /// The LSTM with packed weights (see `packed`).
  public func forInference() -> any Module { packed() }
}

extension Tensor {
  /// The part [batch, hidden] of an LSTM's state for a direction of a level.
  fileprivate func stateOfDirection(_ place: Int) -> Tensor {
    slice(axis: 0, place..<place + 1).reshaped([-1, shape[2]])
  }
}
