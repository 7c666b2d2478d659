import OrderedCollections

/// The record of the calls of a computation, in order. The backward pass walks it from end to
/// start.
///
/// One thread records and walks it; hence `@unchecked Sendable`.
final class Tape: CallRecorder, @unchecked Sendable {
  let number = GradientNode.newRecord()
  /// The parameters whose gradients are wanted; nil: all parameters that the computation reads.
  private let parameters: Set<ObjectIdentifier>?
  /// Called for every call with the operation, the parameters among its inputs, and its output.
  private let observer: ((any Operation, [Parameter], Tensor) -> Void)?
  private var nodes: [GradientNode] = []
  /// The parameters read so far, in the order of their first reading.
  private var leaves:
    OrderedDictionary<ObjectIdentifier, (parameter: Parameter, node: GradientNode)> =
      [:]

  init(
    parameters: Set<ObjectIdentifier>?,
    observer: ((any Operation, [Parameter], Tensor) -> Void)? = nil
  ) {
    self.parameters = parameters
    self.observer = observer
  }

  deinit {
    clear()
  }

  /// Whether one of the tensors is on this tape.
  func follows(_ tensors: [Tensor]) -> Bool {
    tensors.contains { $0.node?.tape == number }
  }

  /// Returns `tensor` as a leaf whose gradient is wanted.
  func watch(_ tensor: Tensor) -> Tensor {
    var watched = tensor.detached
    watched.node = GradientNode(on: number, shape: tensor.shape, source: .leaf(nil))
    return watched
  }

  /// Returns `value`, the value of `parameter`, linked to the tape if the parameter's gradient is
  /// wanted.
  func leaf(_ parameter: Parameter, _ value: Tensor) -> Tensor {
    guard let node = leafNode(parameter) else { return value }
    var value = value
    value.node = node
    return value
  }

  private func leafNode(_ parameter: Parameter) -> GradientNode? {
    let identity = ObjectIdentifier(parameter)
    if let leaf = leaves[identity] { return leaf.node }
    guard parameter.role != .statistic, parameters?.contains(identity) ?? true else { return nil }
    let node = GradientNode(on: number, shape: parameter.shape, source: .leaf(parameter))
    leaves[identity] = (parameter, node)
    return node
  }

  /// Runs `operation` and records the call.
  func record(_ operation: some Operation, _ inputs: [Tensor]) -> Tensor {
    let plain = inputs.map(\.detached)
    let (result, saved) = CallTimes.timed(operation, .forward) { operation.forward(plain) }
    let nodes = inputs.map { $0.node?.tape == number ? $0.node : nil }
    let kept = saved.map { tensor in
      // A saved tensor that is an input, and that its own call can compute again, is not kept.
      for (input, node) in zip(plain, nodes) {
        if let node, node.canRecompute, input.isSame(as: tensor) {
          return GradientNode.Saved.output(of: node)
        }
      }
      return .tensor(tensor.detached)
    }
    if let observer {
      let own = nodes.compactMap { node in
        if case .leaf(let parameter)? = node?.source { parameter } else { nil }
      }
      observer(operation, own, result)
    }
    return add(result, source: .call(operation, saved: kept), inputs: nodes)
  }

  /// Computes a block without recording its calls, and records how to compute it again.
  func recordBlock(_ input: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
    if observer != nil { return body(input) }
    let plain = input.detached
    let result = Recording.$current.withValue(nil) { body(plain) }
    let node = input.node?.tape == number ? input.node : nil
    return add(result, source: .block(input: plain, body: body), inputs: [node])
  }

  private func add(
    _ result: Tensor, source: GradientNode.Source, inputs: [GradientNode?]
  ) -> Tensor {
    var output = result.detached
    let node = GradientNode(on: number, shape: output.shape, source: source, inputs: inputs)
    nodes.append(node)
    output.node = node
    return output
  }

  /// Walks the record backwards from `output`, whose gradient is `seed`, and frees each node on the
  /// way.
  func backward(from output: Tensor, seed: Tensor) {
    if let node = output.node, node.tape == number { node.add(seed) }
    while let node = nodes.popLast() {
      if let gradient = node.takeGradient() { pass(gradient, through: node) }
      node.release()
    }
  }

  private func pass(_ gradient: Tensor, through node: GradientNode) {
    switch node.source {
    case .call(let operation, _):
      let wants = node.inputs.map { $0 != nil }
      let saved = node.resolvedSaved
      let gradients = CallTimes.timed(operation, .backward) {
        operation.pullback(gradient, saved: saved, wants: wants)
      }
      precondition(
        gradients.count == wants.count,
        "\(type(of: operation)): \(gradients.count) gradients for \(wants.count) inputs")
      for (input, gradient) in zip(node.inputs, gradients) {
        if let gradient { input?.add(gradient) }
      }
    case .block(let input, let body):
      let inner = Tape(parameters: parameters)
      let watched = inner.watch(input)
      let output = Recording.$current.withValue(inner) { body(watched) }
      inner.backward(from: output, seed: gradient)
      for leaf in inner.leaves.values {
        if let gradient = leaf.node.takeGradient() { leafNode(leaf.parameter)?.add(gradient) }
      }
      if let gradient = watched.node?.takeGradient() { node.inputs[0]?.add(gradient) }
    case .leaf, .released: break
    }
  }

  /// The gradients of the parameters, in the order in which the parameters were first read. A
  /// parameter that was read but does not affect the output gets zeros.
  func takeGradients() -> Gradients {
    var gradients = Gradients()
    for leaf in leaves.values {
      gradients[leaf.parameter] = leaf.node.takeGradient() ?? Tensor(zeros: leaf.parameter.shape)
    }
    return gradients
  }

  /// Frees every call, node by node: freeing a chain of thousands of nodes by recursion would
  /// overflow the stack.
  private func clear() {
    for node in nodes { node.release() }
    nodes = []
  }
}
