/// A node with the nodes after it that are computed with it.
struct ONNXFusedNode {
  var node: ONNXGraph.Node
  /// The place of the node in the file.
  var place: Int
  var norm: ONNXFusedNorm?
  var activation = Activation.identity
}

/// Joins convolutions with the batch norm and the activation after them, if nothing else reads what
/// lies in between. The kernels compute them together, without writing that to memory.
struct ONNXFusion {
  private let graph: ONNXGraph
  private let state: StateDict
  /// The places of the nodes that read each value, one for each time.
  private var readers: [String: [Int]] = [:]
  /// The tensors of `Constant` nodes.
  private let constants: [String: StoredTensor]
  private var joined: Set<Int> = []

  init(_ graph: ONNXGraph, _ state: StateDict) {
    self.graph = graph
    self.state = state
    constants = graph.nodes.constantTensors
    for (place, node) in graph.nodes.enumerated() {
      for input in node.inputs where !input.isEmpty { readers[input, default: []].append(place) }
    }
    for output in graph.outputs { readers[output, default: []].append(-1) }
  }

  /// The nodes of the graph, in order.
  mutating func nodes() -> [ONNXFusedNode] {
    var nodes: [ONNXFusedNode] = []
    for (place, node) in graph.nodes.enumerated() where !joined.contains(place) {
      var fused = ONNXFusedNode(node: node, place: place)
      // Only weights of the file can be packed with a norm.
      let weights = node.inputs.dropFirst().filter { !$0.isEmpty }
      if node.operation == "Conv", node.outputs.count == 1,
        weights.allSatisfy({ tensor($0) != nil })
      {
        joinNorm(&fused)
        joinActivation(&fused)
      }
      nodes.append(fused)
    }
    return nodes
  }

  private func tensor(_ name: String) -> StoredTensor? { state[name] ?? constants[name] }

  /// The only node that reads what `fused` computes, and reads it first.
  private func reader(of fused: ONNXFusedNode) -> (place: Int, node: ONNXGraph.Node)? {
    guard let places = readers[fused.node.outputs[0]], places.count == 1, places[0] > fused.place
    else { return nil }
    let node = graph.nodes[places[0]]
    guard node.inputs.first == fused.node.outputs[0], node.outputs.count == 1,
      !joined.contains(places[0]), ONNXOperations.builder(of: node) != nil
    else { return nil }
    return (places[0], node)
  }

  private mutating func joinNorm(_ fused: inout ONNXFusedNode) {
    guard let (place, node) = reader(of: fused), node.operation == "BatchNormalization",
      node.inputs.count == 5, Set(node.attributes.keys).isSubset(of: ["epsilon", "momentum"])
    else { return }
    let parts = node.inputs.dropFirst().compactMap { tensor($0) }
    guard parts.count == 4, parts.allSatisfy({ $0.dtype.isFloatingPoint && $0.shape.count == 1 })
    else { return }
    var epsilon: Float = 1e-5
    if let stated = node.attributes["epsilon"] {
      guard case .number(let value) = stated, value >= 0 else { return }
      epsilon = value
    }
    fused.norm = ONNXFusedNorm(
      scale: parts[0], shift: parts[1], mean: parts[2], variance: parts[3], epsilon: epsilon)
    fused.node.outputs = node.outputs
    joined.insert(place)
  }

  private mutating func joinActivation(_ fused: inout ONNXFusedNode) {
    if let (place, node) = reader(of: fused), let activation = activation(of: node) {
      fused.activation = activation
      fused.node.outputs = node.outputs
      joined.insert(place)
    } else {
      joinSwish(&fused)
    }
  }

  /// Joins x * sigmoid(x), which files write as two nodes.
  private mutating func joinSwish(_ fused: inout ONNXFusedNode) {
    let output = fused.node.outputs[0]
    guard let places = readers[output], places.count == 2, let first = places.min(),
      let second = places.max(), first > fused.place, first < second
    else { return }
    let (gate, product) = (graph.nodes[first], graph.nodes[second])
    guard gate.operation == "Sigmoid", product.operation == "Mul", gate.outputs.count == 1,
      product.outputs.count == 1, product.inputs.count == 2,
      Set(product.inputs) == [output, gate.outputs[0]],
      readers[gate.outputs[0]] == [second], ONNXOperations.builder(of: gate) != nil,
      ONNXOperations.builder(of: product) != nil
    else { return }
    fused.activation = .silu
    fused.node.outputs = product.outputs
    joined.formUnion([first, second])
  }

  /// The activation that a node computes; nil if convolutions do not have it.
  private func activation(of node: ONNXGraph.Node) -> Activation? {
    switch node.operation {
    case "Relu": .relu
    case "Sigmoid": .sigmoid
    case "LeakyRelu":
      switch node.attributes["alpha"] {
      case nil: .leakyReLU(slope: 0.01)
      case .number(let slope) where !slope.isNaN: .leakyReLU(slope: slope)
      default: nil
      }
    case "Clip": bounds(of: node).map { $0 == (0, 6) } == true ? .relu6 : nil
    default: nil
    }
  }

  /// The bounds of a `Clip` if they are constants.
  private func bounds(of node: ONNXGraph.Node) -> (Float, Float)? {
    if case .number(let low)? = node.attributes["min"],
      case .number(let high)? = node.attributes["max"], node.inputs.count == 1
    {
      return (low, high)
    }
    guard node.inputs.count == 3, node.attributes.isEmpty,
      let low = number(node.inputs[1]), let high = number(node.inputs[2])
    else { return nil }
    return (low, high)
  }

  private func number(_ name: String) -> Float? {
    guard let tensor = tensor(name), tensor.count == 1 else { return nil }
    return (try? tensor.tensor())?.item
  }
}
