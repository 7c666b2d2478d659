extension ONNXGraph {
  /// The versions of ONNX's operations that dfkit follows.
  static let opsets = 7...21

  /// Checks that dfkit has all operations, and that each node reads only inputs, tensors and what
  /// nodes before it compute.
  ///
  /// - Throws: `WeightsError.unreadable`, which names what is missing.
  func check(_ state: StateDict) throws(WeightsError) {
    func unreadable(_ reason: String) -> WeightsError {
      .unreadable(file: state.file, reason: reason)
    }
    let missing = missingOperations
    guard missing.isEmpty else {
      let rest = missing.count - 12
      throw unreadable(
        "its graph needs operations that dfkit does not have: "
          + missing.prefix(12).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : ""))
    }
    guard Self.opsets.contains(opset) else {
      throw unreadable(
        opset == 0
          ? "its graph does not state the version of ONNX's operations (opset)"
          : "its graph uses version \(opset) of ONNX's operations (opset), and dfkit has"
            + " \(Self.opsets.lowerBound) to \(Self.opsets.upperBound); export it with another one")
    }
    guard !outputs.isEmpty else { throw unreadable("its graph has no outputs") }
    try checkOrder(state, unreadable)
  }

  /// The names of the operations that dfkit does not have, each once.
  private var missingOperations: [String] {
    var missing: [String] = []
    for node in nodes where ONNXOperations.builder(of: node) == nil {
      let name = String(ONNXOperations.name(of: node).prefix(100))
      if missing.count < 1000, !missing.contains(name) { missing.append(name) }
    }
    return missing
  }

  private func checkOrder(
    _ state: StateDict, _ unreadable: (String) -> WeightsError
  ) throws(WeightsError) {
    var known = Set(state.keys).union(inputs)
    let all = Set(nodes.flatMap(\.outputs))
    /// Outputs that dfkit does not compute, such as the mask of a dropout.
    var omitted: Set<String> = []
    for (place, node) in nodes.enumerated() {
      for name in node.inputs where !name.isEmpty && !known.contains(name) {
        let text = name.prefix(100)
        throw unreadable(
          omitted.contains(name)
            ? "\(node.label(place)) reads \(text), an output that dfkit does not compute"
            : all.contains(name)
              ? "\(node.label(place)) reads \(text), which that node or one after it computes, so"
                + " the graph has a cycle or is not in the order in which it runs"
              : "\(node.label(place)) reads \(text), which is neither an input, a tensor nor an"
                + " output of a node")
      }
      for (index, name) in node.outputs.enumerated() where !name.isEmpty {
        guard !known.contains(name), !omitted.contains(name) else {
          throw unreadable(
            "\(node.label(place)) computes \(name.prefix(100)), which exists already")
        }
        if index == 0 || ONNXOperations.hasAllOutputs(node) {
          known.insert(name)
        } else {
          omitted.insert(name)
        }
      }
      let outputs = ONNXOperations.hasAllOutputs(node) ? node.outputs[...] : node.outputs.prefix(1)
      guard outputs.contains(where: { !$0.isEmpty }) else {
        throw unreadable("\(node.label(place)) has no output")
      }
    }
    if let name = outputs.first(where: { !known.contains($0) }) {
      throw unreadable(
        "its output \(name.prefix(100)) is computed by no node"
          + (omitted.contains(name) ? " that dfkit has" : ""))
    }
  }
}
