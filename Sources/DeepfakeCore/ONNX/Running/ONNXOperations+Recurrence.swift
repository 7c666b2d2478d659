extension ONNXOperations {
  /// LSTM, with the default activations. Weights of the file are packed once.
  static func lstm(_ plan: inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody {
    let settings = try ONNXLSTM(plan)
    let addsBias = plan.has(3)
    if let w = plan.weight(1), let r = plan.weight(2), !addsBias || plan.weight(3) != nil {
      let level = try settings.level(
        w.floats(), r.floats(), addsBias ? plan.weight(3)?.floats() : nil)
      plan.packed = [1, 2, 3]
      return { arguments throws(ONNXMismatch) in try settings.run(level, arguments) }
    }
    return { arguments throws(ONNXMismatch) in
      let bias = arguments.has(3) ? try arguments.floats(3).fileOrder : nil
      let level = try settings.level(
        arguments.floats(1).fileOrder, arguments.floats(2).fileOrder, bias)
      return try settings.run(level, arguments)
    }
  }
}

/// The settings of a node `LSTM`.
private struct ONNXLSTM: Sendable {
  private let direction: LSTMDirection
  private let hidden: Int?
  /// A name for messages and timings.
  private let key: String

  /// Reads and checks a node's settings.
  init(_ plan: ONNXNodePlan) throws(ONNXMismatch) {
    let names = LSTMDirection.allCases.map(\.rawValue)
    direction = LSTMDirection(rawValue: try plan.text("direction", names)) ?? .forward
    let size = try plan.integer("hidden_size", 0, in: 0...1 << 24)
    hidden = size == 0 ? nil : size
    key = plan.key
    let usual = ["Sigmoid", "Tanh", "Tanh"]
    let activations = try plan.texts("activations") ?? []
    let expected = direction.isReverse.flatMap { _ in usual }
    guard activations.isEmpty || activations == expected else {
      throw ONNXMismatch(
        "dfkit does not have its activations \(activations.joined(separator: ", ").prefix(100));"
          + " it has \(usual.joined(separator: ", ")) only")
    }
    for name in ["clip", "activation_alpha", "activation_beta"]
    where plan.node.attributes[name] != nil {
      throw ONNXMismatch("dfkit does not have its setting \(name)")
    }
    for name in ["input_forget", "layout"] where try plan.integer(name, 0) != 0 {
      throw ONNXMismatch("dfkit does not have its setting \(name) 1")
    }
    guard !plan.has(7) else {
      throw ONNXMismatch("dfkit does not have its input 8, the weights of peepholes")
    }
  }

  /// The level with ONNX's weights: for the input [directions, 4 * hidden, inputs], for the
  /// previous output [directions, 4 * hidden, hidden], both biases [directions, 8 * hidden].
  func level(
    _ w: Tensor, _ r: Tensor, _ bias: Tensor?
  ) throws(ONNXMismatch) -> PackedLSTMLevel {
    let count = direction.count
    let hidden = self.hidden ?? r.shape.last ?? 0
    guard hidden > 0, w.rank == 3, r.rank == 3, w.shape[2] > 0,
      w.shape == [count, 4 * hidden, w.shape[2]], r.shape == [count, 4 * hidden, hidden],
      bias.map({ $0.shape == [count, 8 * hidden] }) ?? true
    else {
      throw ONNXMismatch(
        "its weights \(w.shape), \(r.shape)\(bias.map { ", \($0.shape)" } ?? "") do not fit"
          + " \(direction.rawValue) with \(hidden) outputs")
    }
    /// A block [4 * hidden, ...] in this library's order of gates.
    func reordered(_ block: Tensor) -> Tensor {
      let gates = [0, 2, 3, 1].map { block.slice(axis: 0, $0 * hidden..<($0 + 1) * hidden) }
      return .concatenated(gates, axis: 0)
    }
    func panels(_ weights: Tensor, _ index: Int) -> Tensor {
      let block = weights.slice(axis: 0, index..<index + 1).reshaped(Array(weights.shape[1...]))
      return reordered(block).transposed([1, 0]).packedInPanels()
    }
    return PackedLSTMLevel(
      inputs: w.shape[2], hidden: hidden, direction: direction,
      weights: (0..<count).map { index in
        let both = bias?.slice(axis: 0, index..<index + 1).reshaped([8 * hidden])
        return PackedLSTMLevel.Weights(
          input: panels(w, index), hidden: panels(r, index),
          bias: both.map {
            reordered($0.slice(axis: 0, 0..<4 * hidden))
              + reordered($0.slice(axis: 0, 4 * hidden..<8 * hidden))
          })
      })
  }

  /// The outputs [steps, directions, batch, hidden], and the last output and cell [directions,
  /// batch, hidden].
  func run(
    _ level: PackedLSTMLevel, _ arguments: ONNXArguments
  ) throws(ONNXMismatch) -> [ONNXValue] {
    let given = try arguments.floats(0).fileOrder
    guard given.rank == 3, given.shape[2] == level.inputs else {
      throw ONNXMismatch(
        "its input of shape \(given.shape) is not a list of steps with \(level.inputs) features")
    }
    let (steps, batch, count, hidden) = (
      given.shape[0], given.shape[1], direction.count, level.hidden
    )
    _ = try [count, batch, steps, 4 * hidden].elementCount()
    var lengths = try arguments.list(4)
    if let some = lengths {
      guard some.count == batch, some.allSatisfy({ (0...steps).contains($0) }) else {
        throw ONNXMismatch("its lengths \(some.prefix(20)) do not fit its input \(given.shape)")
      }
      if some.allSatisfy({ $0 == steps }) { lengths = nil }
    }
    var states: [(hidden: Tensor, cell: Tensor)] = []
    if arguments.has(5) || arguments.has(6) {
      let first = try (state(5), state(6))
      states = (0..<count).map { index in
        func own(_ state: Tensor) -> Tensor {
          state.slice(axis: 0, index..<index + 1).reshaped([batch, hidden])
        }
        return (own(first.0), own(first.1))
      }
    }
    func state(_ index: Int) throws(ONNXMismatch) -> Tensor {
      guard arguments.has(index) else { return Tensor(zeros: [count, batch, hidden]) }
      let state = try arguments.floats(index).fileOrder
      guard state.shape == [count, batch, hidden] else {
        throw ONNXMismatch(
          "its first state of shape \(state.shape) is not [\(count), \(batch), \(hidden)]")
      }
      return state
    }
    let x = given.transposed([1, 0, 2])
    let output = LayerTimes.measure(key, work: level.work(batch: batch, steps: steps)) {
      level(x, lengths: lengths, from: states).output
    }
    let all = output.reshaped([batch, steps + 2, count, hidden]).transposed([1, 2, 0, 3])
    func last(_ row: Int) -> ONNXValue {
      .floats(
        ONNXFloats(all.slice(axis: 0, row..<row + 1).reshaped([count, batch, hidden])))
    }
    return [
      .floats(ONNXFloats(all.slice(axis: 0, 0..<steps))), last(steps), last(steps + 1),
    ]
  }
}
