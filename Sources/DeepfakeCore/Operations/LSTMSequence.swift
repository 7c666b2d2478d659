import CDFKernels

/// One level of a long short-term memory (Hochreiter and Schmidhuber 1997) over whole sequences, as
/// in `torch.nn.LSTM`. The order of the gates is input, forget, candidate, output.
///
/// It is one operation because a step consists of many small ones: a recording would be hundreds of
/// calls long. Its output also holds the state after each sequence's last step.
package struct LSTMSequence: Operation {
  package let direction: LSTMDirection
  /// The number of steps of each sequence, 0 to all; nil: all have all steps. Further steps do not
  /// change the state, and their outputs are zero. In reverse, a sequence starts at its own last
  /// step.
  package let lengths: [Int]?
  /// Whether there are biases.
  package let hasBias: Bool
  /// Whether there is a state before the first step. Without one it is zero.
  package let hasState: Bool

  package init(
    _ direction: LSTMDirection = .forward, lengths: [Int]? = nil, hasBias: Bool = true,
    hasState: Bool = false
  ) {
    self.direction = direction
    self.lengths = lengths
    self.hasBias = hasBias
    self.hasState = hasState
  }

  /// The number of inputs that each direction has.
  private var inputCount: Int { 2 + (hasBias ? 2 : 0) + (hasState ? 2 : 0) }

  /// The inputs of one direction.
  private struct Part<Element> {
    /// For the input and for the previous output.
    var inputWeight, hiddenWeight: Element
    var biases: [Element]
    /// The output and the cell before the first step; empty: zeros.
    var state: [Element]
  }

  private func part<Element>(_ index: Int, of inputs: [Element]) -> Part<Element> {
    let own = Array(inputs[(1 + index * inputCount)...].prefix(inputCount))
    return Part(
      inputWeight: own[0], hiddenWeight: own[1], biases: hasBias ? Array(own[2..<4]) : [],
      state: hasState ? Array(own.suffix(2)) : [])
  }

  /// Inputs: x [batch, steps, inputs]. Then for each direction: the weights for the input [inputs,
  /// 4 * hidden] and for the previous output [hidden, 4 * hidden], two biases [4 * hidden] with
  /// `hasBias`, the output and the cell before the first step [batch, hidden] with `hasState`.
  ///
  /// Output: [batch, steps + 2, directions * hidden], the outputs of the steps, the last output and
  /// the last cell. Saved: the inputs, the output, the gates and the cells.
  package func forward(_ inputs: [Tensor]) -> (output: Tensor, saved: [Tensor]) {
    check(inputs.map(\.shape))
    let x = withoutExcess(inputs[0])
    let parts = (0..<direction.count).map { part($0, of: inputs) }
    let level = PackedLSTMLevel(
      inputs: x.shape[2], hidden: parts[0].hiddenWeight.shape[0], direction: direction,
      weights: parts.map { part in
        PackedLSTMLevel.Weights(
          input: part.inputWeight.packedInPanels(), hidden: part.hiddenWeight.packedInPanels(),
          bias: hasBias ? part.biases[0] + part.biases[1] : nil)
      })
    let result = level(
      x, lengths: lengths, from: hasState ? parts.map { ($0.state[0], $0.state[1]) } : [],
      keepsCells: true)
    return (result.output, [x] + inputs[1...] + [result.output, result.gates, result.cells])
  }

  /// Backpropagation through time: the gradients of the gates' sums step by step; from them those
  /// of x and of the weights, in one product each.
  package func pullback(_ gradient: Tensor, saved: [Tensor], wants: [Bool]) -> [Tensor?] {
    let count = direction.count
    let inputs = Array(saved[..<(1 + count * inputCount)])
    let (output, gates, cells) = (saved[inputs.count], saved[inputs.count + 1], saved.last)
    guard let cells else { return [] }
    let x = inputs[0]
    let (batch, steps, hidden) = (x.shape[0], x.shape[1], inputs[2].shape[0])
    let walks = direction.isReverse.map { isReverse in
      LSTMWalk(
        batch: batch, steps: steps, hidden: hidden, lengths: lengths, isReverse: isReverse,
        outputStride: count * hidden)
    }
    let size = batch * steps * hidden
    let found = Parallel.map(count) { index in
      let part = part(index, of: inputs)
      return gradient.withUnsafeElements { gradient in
        gates.withUnsafeElements { gates in
          cells.withUnsafeElements { cells in
            walks[index].runBack(
              gradient + index * hidden, gates: gates + 4 * index * size,
              cells: cells + index * size, weight: part.hiddenWeight, firstCell: part.state.last)
          }
        }
      }
    }
    let rows = x.viewed(as: [batch * steps, x.shape[2]])
    var gradients: [Tensor?] = [nil]
    for index in 0..<count {
      let (part, found, first) = (part(index, of: inputs), found[index], gradients.count)
      if wants[0] {
        let ofRows = found.sums.matmul(part.inputWeight, transposingRight: true)
        gradients[0] = gradients[0].map { $0 + ofRows } ?? ofRows
      }
      gradients.append(wants[first] ? rows.matmul(found.sums, transposingLeft: true) : nil)
      if wants[first + 1] {
        let before = output.withUnsafeElements {
          walks[index].outputsBefore($0 + index * hidden, from: part.state.first)
        }
        gradients.append(before.matmul(found.sums, transposingLeft: true))
      } else {
        gradients.append(nil)
      }
      if hasBias {
        let ofBias = found.sums.channelSums()
        gradients += [ofBias, ofBias]
      }
      if hasState { gradients += [found.hidden, found.cell] }
    }
    gradients[0] = gradients[0]?.viewed(as: x.shape)
    return gradients
  }

  /// x with zeros in the steps that its sequences do not have: whatever is there must not reach
  /// the gradients of the weights.
  private func withoutExcess(_ x: Tensor) -> Tensor {
    guard let lengths, lengths.contains(where: { $0 < x.shape[1] }) else { return x }
    let (steps, features) = (x.shape[1], x.shape[2])
    var x = x.detached
    x.withUnsafeMutableBuffer { x in
      for (sequence, length) in lengths.enumerated() {
        x[((sequence * steps + length) * features)..<((sequence + 1) * steps * features)]
          .update(repeating: 0)
      }
    }
    return x
  }

  private func check(_ shapes: [[Int]]) {
    precondition(
      shapes.count == 1 + direction.count * inputCount && shapes[0].count == 3
        && shapes[0][1] > 0 && shapes[0][2] > 0,
      "LSTM: \(shapes.count) inputs, x of shape \(shapes.first ?? [])")
    let (x, hidden) = (shapes[0], shapes[2].first ?? 0)
    if let lengths {
      precondition(
        lengths.count == x[0] && lengths.allSatisfy { (0...x[1]).contains($0) },
        "LSTM: lengths \(lengths) do not fit input \(x)")
    }
    for index in 0..<direction.count {
      let part = part(index, of: shapes)
      precondition(
        hidden > 0 && part.inputWeight == [x[2], 4 * hidden]
          && part.hiddenWeight == [hidden, 4 * hidden],
        "LSTM: weights \(part.inputWeight), \(part.hiddenWeight) do not fit input \(x)")
      precondition(
        part.biases.allSatisfy { $0 == [4 * hidden] },
        "LSTM: biases \(part.biases) do not fit \(hidden) outputs")
      precondition(
        part.state.allSatisfy { $0 == [x[0], hidden] },
        "LSTM: state \(part.state) does not fit input \(x) and \(hidden) outputs")
    }
  }
}

extension LSTMSequence {
  /// One `LSTM` node, which has time before the batch and the gates in the order input, output,
  /// forget, candidate. The parameters stay as published files have them; nodes reorder them.
  package func addNodes(
    to graph: GraphBuilder, _ inputs: [TracedValue], output: [Int]
  ) throws(ONNXExportError) -> TracedValue {
    let (steps, count) = (output[1] - 2, direction.count)
    let hidden = output[2] / count
    let parts = (0..<count).map { part($0, of: inputs) }
    func joined(_ names: [String], axis: Int64 = 0) -> String {
      names.count == 1 ? names[0] : graph.node("Concat", names, ["axis": .integer(axis)])
    }
    /// [4 * hidden, ...] as [1, 4 * hidden, ...] in ONNX's order of gates.
    func reordered(_ name: String, _ rest: [Int]) -> String {
      let gates = graph.node("Reshape", [name, graph.integers([4, hidden] + rest)])
      let order = graph.node(
        "Gather", [gates, graph.integers([0, 3, 1, 2])], ["axis": .integer(0)])
      return graph.node("Reshape", [order, graph.integers([1, 4 * hidden] + rest)])
    }
    func weights(_ value: (Part<TracedValue>) -> TracedValue) -> String {
      joined(
        parts.map {
          let weight = value($0)
          return reordered(graph.name(weight, in: [1, 0]), [weight.shape[0]])
        })
    }
    func state(_ index: Int) -> String {
      joined(parts.map { graph.name($0.state[index], reshapedTo: [1, -1, hidden]) })
    }
    var names = [
      graph.name(inputs[0], in: [1, 0, 2]), weights(\.inputWeight), weights(\.hiddenWeight),
      "", "", "", "",
    ]
    if hasBias {
      names[3] = joined(
        parts.map { joined($0.biases.map { reordered(graph.name($0), []) }, axis: 1) })
    }
    if let lengths {
      let type = ONNXTensor.number(of: .i32)
      names[4] = graph.node("Cast", [graph.integers(lengths)], ["to": .integer(type)])
    }
    if hasState { (names[5], names[6]) = (state(0), state(1)) }
    while names.last?.isEmpty == true { names.removeLast() }
    let found = graph.node(
      "LSTM", names,
      ["direction": .text(direction.rawValue), "hidden_size": .integer(Int64(hidden))],
      outputs: 3)
    // [steps, directions, batch, hidden] becomes [steps, batch, directions * hidden].
    func sideBySide(_ name: String, _ order: [Int64], _ shape: [Int]) -> String {
      let turned =
        count == 1 ? name : graph.node("Transpose", [name], ["perm": .integers(order)])
      return graph.node("Reshape", [turned, graph.integers(shape)])
    }
    let outputs =
      count == 1
      ? graph.node("Squeeze", [found[0], graph.integers([1])])
      : sideBySide(found[0], [0, 2, 1, 3], [0, 0, -1])
    let states = found[1...].map {
      count == 1 ? $0 : sideBySide($0, [1, 0, 2], [1, -1, output[2]])
    }
    return graph.joining(
      [(outputs, steps), (states[0], 1), (states[1], 1)], axis: 0, shape: output,
      order: [1, 0, 2])
  }
}
