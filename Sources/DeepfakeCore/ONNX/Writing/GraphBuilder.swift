/// The graph that a trace builds. Operations add their nodes to it.
///
/// One thread uses a builder; hence `@unchecked Sendable`.
package final class GraphBuilder: @unchecked Sendable {
  private(set) var nodes: [ONNXGraph.Node] = []
  /// The parameters that nodes read, by their names in the graph, in the order of their first use.
  private(set) var parameters: [(name: String, parameter: Parameter)] = []

  /// Whether the graph leaves the height and width of the images open.
  let hasOpenSize: Bool
  private let nameOfParameter: (Parameter) -> String
  private var counts: [String: Int] = [:]
  private var known: [ObjectIdentifier: String] = [:]
  /// Values with their axes in another order, and constants, so that none is made twice.
  private var made: [String: String] = [:]
  /// The parts of concatenated values, so that slicing one off needs no node.
  private var parts: [String: [(cut: Cut, name: String)]] = [:]
  /// The layer whose nodes are added: the key of the last parameter that was read, without its
  /// last part.
  private var layer = ""

  /// - Parameters:
  ///   - hasOpenSize: Whether the graph leaves the height and width of the images open.
  ///   - naming: The name of a parameter in the graph.
  init(hasOpenSize: Bool = false, naming: @escaping (Parameter) -> String) {
    self.hasOpenSize = hasOpenSize
    nameOfParameter = naming
  }

  /// Adds a node.
  ///
  /// - Returns: The name of its output.
  package func node(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXGraph.Attribute] = [:]
  ) -> String {
    node(operation, inputs, attributes, outputs: 1)[0]
  }

  /// Adds a node with several outputs.
  ///
  /// - Returns: The names of its outputs.
  package func node(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXGraph.Attribute] = [:],
    outputs: Int
  ) -> [String] {
    let count = counts[operation, default: 0]
    counts[operation] = count + 1
    let name = "\(operation)_\(count)"
    let names = [name] + (1..<max(1, outputs)).map { "\(name)_\($0)" }
    nodes.append(
      ONNXGraph.Node(
        name: layer.isEmpty ? name : "\(layer)/\(name)", operation: operation, inputs: inputs,
        outputs: names, attributes: attributes))
    return names
  }

  /// Adds a node, and returns its output as a value with `shape`, whose axes the graph has in
  /// `order`.
  package func value(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXGraph.Attribute] = [:],
    shape: [Int], order: [Int]? = nil
  ) -> TracedValue {
    TracedValue(.graph(node(operation, inputs, attributes)), shape: shape, order: order)
  }

  /// The name of a list of integers.
  package func integers(_ values: [Int]) -> String {
    once("integers \(values)") {
      node("Constant", [], ["value_ints": .integers(values.map(Int64.init))])
    }
  }

  /// The name of a constant tensor with the axes as they are.
  package func constant(_ tensor: Tensor) -> String {
    func make() -> String {
      let stored = StoredTensor(
        file: "", key: "constant", tensor: tensor.detached, layout: .unchanged)
      return node("Constant", [], ["value": .tensor(stored)])
    }
    guard tensor.count <= 16 else { return make() }
    return once("tensor \(tensor.shape) \(tensor.scalars)", make)
  }

  /// The name of a number.
  package func constant(_ number: Float) -> String { constant(Tensor(scalar: number)) }

  /// The name of a value with its axes in `order`; nil: in dfkit's own.
  package func name(_ value: TracedValue, in order: [Int]? = nil) -> String {
    let order = order ?? Array(value.shape.indices)
    switch value.source {
    case .graph(let name): return transposed(name, from: value.order, to: order)
    case .constant(_, let parameter?):
      let name = self.name(of: parameter)
      return transposed(name, from: parameter.layout.fileAxes(rank: value.rank), to: order)
    case .constant(let tensor, nil):
      return constant(order == Array(tensor.shape.indices) ? tensor : tensor.transposed(order))
    }
  }

  /// The name of a value with another shape, given in the graph's order of axes. The value's own
  /// axes are in `order`; nil: in dfkit's.
  package func name(
    _ value: TracedValue, in order: [Int]? = nil, reshapedTo shape: [Int]
  ) -> String {
    let name = name(value, in: order)
    let now = (order ?? Array(value.shape.indices)).map { value.shape[$0] }
    if now == shape { return name }
    return once("\(name) as \(shape)") { node("Reshape", [name, integers(shape)]) }
  }

  /// The name of a value with `rank` axes in `order`: missing axes come first, with extent 1, as
  /// broadcasting has them.
  package func name(_ value: TracedValue, in order: [Int], rank: Int) -> String {
    // A list of no axes, or axes in dfkit's own order, broadcast as they are.
    if value.rank == rank { return name(value, in: order) }
    if value.rank == 0 || order == Array(0..<rank) { return name(value) }
    let shape = Array(repeating: 1, count: rank - value.rank) + value.shape
    if case .constant(let tensor, nil) = value.source {
      return constant(tensor.detached.viewed(as: shape).transposed(order))
    }
    if let moved = order.firstIndex(of: rank - 1), shape.dropLast().allSatisfy({ $0 == 1 }) {
      // A value for each channel: the axis moves without a transposition.
      return name(value, reshapedTo: (0..<rank).map { $0 == moved ? shape[rank - 1] : 1 })
    }
    let wide = name(value, reshapedTo: shape)
    return transposed(wide, from: Array(0..<rank), to: order)
  }

  /// A value that is concatenated from parts along an axis of the graph. Where only slices of it
  /// are used, and each is one of the parts, the graph has no concatenation.
  package func joining(
    _ values: [(name: String, extent: Int)], axis: Int, shape: [Int], order: [Int]
  ) -> TracedValue {
    let name = node("Concat", values.map(\.name), ["axis": .integer(Int64(axis))])
    var start = 0
    for (part, extent) in values {
      let cut = Cut(axis: axis, start: start, end: start + extent, step: 1)
      parts[name, default: []].append((cut, part))
      start += extent
    }
    return TracedValue(.graph(name), shape: shape, order: order)
  }

  /// The part of a value that a slice takes, if the value was concatenated from such parts.
  func part(of value: TracedValue, _ cuts: [Cut]) -> String? {
    guard cuts.count == 1, case .graph(let name) = value.source else { return nil }
    return parts[name]?.first { $0.cut == cuts[0] }?.name
  }

  /// Gives values the names of the graph's outputs, and removes nodes that no output needs.
  func finish(_ outputs: [(value: String, name: String)]) {
    var finished: [String: String] = [:]
    for (value, name) in outputs {
      let isUsed = finished[value] != nil || nodes.contains { $0.inputs.contains(value) }
      if !isUsed, let maker = nodes.lastIndex(where: { $0.outputs.contains(value) }) {
        nodes[maker].outputs = nodes[maker].outputs.map { $0 == value ? name : $0 }
      } else {
        // Another node reads the value under its name, or it is an input.
        nodes.append(
          ONNXGraph.Node(
            name: name, operation: "Identity", inputs: [finished[value] ?? value],
            outputs: [name]))
      }
      finished[value] = finished[value] ?? name
    }
    var needed = Set(outputs.map(\.name))
    for index in nodes.indices.reversed() {
      if nodes[index].outputs.contains(where: needed.contains) {
        needed.formUnion(nodes[index].inputs)
      } else {
        nodes.remove(at: index)
      }
    }
  }

  private func name(of parameter: Parameter) -> String {
    layer = parameter.key.split(separator: ".").dropLast().joined(separator: ".")
    if let name = known[ObjectIdentifier(parameter)] { return name }
    let name = nameOfParameter(parameter)
    known[ObjectIdentifier(parameter)] = name
    parameters.append((name, parameter))
    return name
  }

  private func transposed(_ name: String, from: [Int], to: [Int]) -> String {
    if from == to { return name }
    let permutation = to.map { axis in from.firstIndex(of: axis) ?? 0 }
    return once("\(name) by \(permutation)") {
      node("Transpose", [name], ["perm": .integers(permutation.map(Int64.init))])
    }
  }

  private func once(_ key: String, _ make: () -> String) -> String {
    if let name = made[key] { return name }
    let name = make()
    made[key] = name
    return name
  }
}
