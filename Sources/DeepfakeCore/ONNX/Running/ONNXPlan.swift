/// The steps in which a graph runs: its nodes without those that no output needs, with constants
/// computed and weights packed.
struct ONNXPlan: Sendable {
  /// One node. Values are numbered.
  struct Step: Sendable {
    /// The node's name and operation, for messages.
    var label: String
    /// The values that it reads; nil for an input that is left out or packed.
    var inputs: [Int?]
    /// The values that it writes; nil for an output that nothing reads.
    var outputs: [Int?]
    /// The values that no later step reads.
    var releases: [Int]
    var body: ONNXBody
  }

  private(set) var steps: [Step] = []
  /// The values before the first step: the constants that steps or outputs read.
  private(set) var values: [ONNXValue?] = []
  /// The numbers of the graph's inputs and outputs.
  private(set) var inputs: [Int] = []
  private(set) var outputs: [Int] = []

  /// Plans a graph that was checked (`ONNXGraphCheck`).
  ///
  /// - Parameter inputs: The names of the inputs that each run gets.
  /// - Throws: `WeightsError.unreadable` if a node's settings or weights are invalid.
  init(
    _ graph: ONNXGraph, _ state: StateDict, inputs names: [String]
  ) throws(WeightsError) {
    var builder = Builder(graph: graph, state: state)
    try builder.build(inputs: names)
    steps = builder.steps
    values = builder.values
    inputs = names.map { builder.numbers[$0] ?? 0 }
    outputs = graph.outputs.map { builder.numbers[$0] ?? 0 }
  }

  /// Runs the steps.
  ///
  /// - Parameters:
  ///   - given: A value for each of `inputs`.
  ///   - file: The file's name, for messages.
  /// - Throws: `WeightsError.unreadable`, which names the node, if values do not fit together.
  func run(_ given: [ONNXValue], file: String) throws(WeightsError) -> [ONNXValue] {
    var values = values
    for (number, value) in zip(inputs, given) { values[number] = value }
    for step in steps {
      let arguments = ONNXArguments(values: step.inputs.map { $0.flatMap { values[$0] } })
      for number in step.releases { values[number] = nil }
      let results: [ONNXValue]
      do throws(ONNXMismatch) {
        results = try step.body(arguments)
      } catch {
        throw .graph(file, step.label, error)
      }
      for (number, result) in zip(step.outputs, results) {
        if let number { values[number] = result }
      }
    }
    var results: [ONNXValue] = []
    for (index, number) in outputs.enumerated() {
      guard let value = values[number] else {
        throw .unreadable(file: file, reason: "its output \(index + 1) has no value")
      }
      results.append(value)
    }
    return results
  }
}

extension WeightsError {
  /// An error of a node; `label` names it.
  static func graph(_ file: String, _ label: String, _ mismatch: ONNXMismatch) -> WeightsError {
    .unreadable(file: file, reason: "its graph cannot run: in \(label), \(mismatch.reason)")
  }
}

extension ONNXGraph.Node {
  /// The node's name and operation for messages; `place` is its place in the file.
  func label(_ place: Int) -> String {
    "node \(name.isEmpty ? "\(place + 1)" : String(name.prefix(100)))"
      + " (\(ONNXOperations.name(of: self).prefix(100)))"
  }
}

extension ONNXPlan {
  fileprivate struct Builder {
    let graph: ONNXGraph
    let state: StateDict
    var steps: [Step] = []
    var values: [ONNXValue?] = []
    var numbers: [String: Int] = [:]
    private let constants = ONNXConstants()
    /// The number of elements of the constants that were computed.
    private var computed = 0

    init(graph: ONNXGraph, state: StateDict) {
      self.graph = graph
      self.state = state
    }

    mutating func build(inputs: [String]) throws(WeightsError) {
      for key in state.keys { constants.all[key] = state[key].map { .stored($0) } }
      for name in inputs { _ = number(of: name) }
      var fusion = ONNXFusion(graph, state)
      for fused in needed(fusion.nodes()) { try add(fused) }
      for name in graph.outputs { try addConstant(name, "the outputs") }
      release(keeping: Set(graph.outputs.compactMap { numbers[$0] }))
    }

    /// The nodes whose outputs are needed for the graph's outputs.
    private func needed(_ nodes: [ONNXFusedNode]) -> [ONNXFusedNode] {
      var names = Set(graph.outputs)
      var result: [ONNXFusedNode] = []
      for fused in nodes.reversed() where fused.node.outputs.contains(where: names.contains) {
        names.formUnion(fused.node.inputs)
        result.append(fused)
      }
      return result.reversed()
    }

    private mutating func number(of name: String) -> Int {
      if let number = numbers[name] { return number }
      numbers[name] = values.count
      values.append(nil)
      return values.count - 1
    }

    /// Plans a node, or computes it if it reads only constants.
    private mutating func add(_ fused: ONNXFusedNode) throws(WeightsError) {
      let node = fused.node
      let label = node.label(fused.place)
      guard let build = ONNXOperations.builder(of: node) else {
        throw .unreadable(file: state.file, reason: "dfkit does not have \(label)")
      }
      var plan = ONNXNodePlan(
        node: node, opset: graph.opset, file: state.file, norm: fused.norm,
        activation: fused.activation, constants: constants)
      do throws(ONNXMismatch) {
        let body = try build(&plan)
        let names = node.inputs.enumerated().map {
          $1.isEmpty || plan.packed.contains($0) ? nil : $1
        }
        if node.inputs.allSatisfy({ $0.isEmpty || constants.all[$0] != nil }) {
          try compute(node, body, names)
        } else {
          for name in names { if let name { try addConstant(name) } }
          steps.append(
            Step(
              label: label, inputs: names.map { $0.map { number(of: $0) } },
              outputs: node.outputs.map { $0.isEmpty ? nil : number(of: $0) }, releases: [],
              body: body))
        }
      } catch {
        throw .graph(state.file, label, error)
      }
    }

    /// Computes a node that reads only constants.
    private mutating func compute(
      _ node: ONNXGraph.Node, _ body: ONNXBody, _ names: [String?]
    ) throws(ONNXMismatch) {
      var arguments: [ONNXValue?] = []
      for name in names {
        if let name {
          arguments.append(try value(name))
        } else {
          arguments.append(nil)
        }
      }
      for (name, result) in zip(node.outputs, try body(ONNXArguments(values: arguments))) {
        if node.operation != "Constant" { computed += result.shape.reduce(1, *) }
        guard computed <= ONNXLimit.expanded else {
          throw ONNXMismatch("the constants have more than \(ONNXLimit.expanded) elements")
        }
        constants.all[name] = .value(result)
      }
    }

    /// The value of a constant; nil if there is none of this name.
    private mutating func value(_ name: String) throws(ONNXMismatch) -> ONNXValue? {
      switch constants.all[name] {
      case nil: return nil
      case .value(let value): return value
      case .stored(let stored):
        let value = try ONNXValue(stored)
        constants.all[name] = .value(value)
        return value
      }
    }

    /// Puts a constant among the values, if this is the name of one.
    private mutating func addConstant(_ name: String) throws(ONNXMismatch) {
      guard numbers[name] == nil, let value = try value(name) else { return }
      values[number(of: name)] = value
    }

    private mutating func addConstant(_ name: String, _ label: String) throws(WeightsError) {
      do throws(ONNXMismatch) {
        try addConstant(name)
      } catch {
        throw .graph(state.file, label, error)
      }
    }

    /// Finds the last step that reads each value. Constants are not released.
    private mutating func release(keeping kept: Set<Int>) {
      var seen = kept
      for index in steps.indices.reversed() {
        steps[index].outputs = steps[index].outputs.map { number in
          number.flatMap { seen.contains($0) ? $0 : nil }
        }
        for case let number? in steps[index].inputs
        where values[number] == nil && seen.insert(number).inserted {
          steps[index].releases.append(number)
        }
      }
    }
  }
}
