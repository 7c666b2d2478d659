/// The layers with weights of an ONNX graph, in execution order, with the layers that each one
/// reads. Exports lose the names of layers and fold norms; what is left to know a layer by is the
/// shape of its weights and its place in the graph.
struct ONNXLayers {
  /// A convolution or a product with stored weights. If the same weights run twice on the same
  /// input, the layer is listed once.
  struct Layer {
    var node: ONNXGraph.Node
    /// The name of the weights, and their shape as PyTorch has it: OIHW, or [out, in].
    var weight: String
    var shape: [Int]
    /// Whether the file holds a product's weights as [in, out].
    var isTransposed = false
    var bias: String?
    /// The rows and columns of zeros around the input: top, left, bottom, right.
    var pads: [Int64] = []
    /// Indices in `all` of the layers whose outputs it reads.
    var sources: Set<Int>
    /// The names of the parameters that follow it, by their parts in PyTorch's layers; nil where a
    /// norm is folded into the weights.
    var norm: Norm?
    var scale, shift, slopes: String?
    /// The nonlinear functions between this layer and the next ones.
    var activations: Set<String> = []
    /// An operation between its sources and itself that the networks here do not have.
    var foreign: String?

    var isConvolution: Bool { node.operation == "Conv" }
    var noun: String { isConvolution ? "convolution" : "fully connected layer" }
  }

  /// A batch norm of the graph: the names of its parameters.
  struct Norm: Equatable {
    var scale, shift, mean, variance: String
    var epsilon: Float
  }

  private(set) var all: [Layer] = []
  /// The numbers of groups of the group norms.
  private(set) var groupCounts: Set<Int> = []

  /// The origin of a value: the layers it comes from.
  private struct Flow {
    var sources: Set<Int> = []
    var foreign: String?
    var pads: [Int64] = [0, 0, 0, 0]
  }

  private let state: StateDict
  private var flows: [String: Flow] = [:]
  /// The tensors of `Constant` nodes.
  private let constants: [String: StoredTensor]
  /// Other names of tensors, for those that nodes only pass on or reshape.
  private var aliases: [String: String] = [:]
  /// The layers whose outputs other layers read; the network's last layers are not among them.
  private(set) var read: Set<Int> = []

  /// Operations that values may pass through and that need not be compared.
  private static let passing: Set<String> = [
    "Add", "AveragePool", "Cast", "Concat", "Div", "Dropout", "Flatten", "GlobalAveragePool",
    "Identity", "InstanceNormalization", "MaxPool", "Mul", "Pad", "ReduceMean", "ReduceSum",
    "Reshape", "Resize", "Slice", "Softmax", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze",
    "Upsample",
  ]
  private static let nonlinear: Set<String> = [
    "Clip", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "PRelu", "Relu", "Sigmoid",
    "Tanh",
  ]
  /// Operations that do nothing to a tensor but change its shape.
  private static let renaming: Set<String> = [
    "Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze",
  ]
  /// The largest numbers of nodes and layers, several times those of the largest network here.
  private static let nodeLimit = 20_000
  private static let layerLimit = 2_000

  /// - Parameter tensors: The tensors that the nodes read by name.
  /// - Throws: `WeightsError` if a layer's weights are not among the tensors, or if the graph is
  ///   larger than that of any network here.
  init(_ nodes: [ONNXGraph.Node], _ tensors: StateDict) throws(WeightsError) {
    state = tensors
    constants = nodes.constantTensors
    guard nodes.count <= Self.nodeLimit else { throw tooLarge }
    for node in nodes { try add(node) }
  }

  private var tooLarge: WeightsError {
    .unreadable(
      file: state.file,
      reason: "its graph is none of the networks here: it has more than \(Self.nodeLimit) nodes or"
        + " \(Self.layerLimit) layers")
  }

  /// A tensor by its name, stored or constant.
  private func tensor(_ name: String?) -> StoredTensor? {
    name.flatMap { state[aliases[$0] ?? $0] ?? constants[$0] }
  }

  private func nameOfTensor(_ name: String?) -> String? {
    name.map { aliases[$0] ?? $0 }.flatMap { state[$0] == nil ? nil : $0 }
  }

  private mutating func add(_ node: ONNXGraph.Node) throws(WeightsError) {
    if Self.renaming.contains(node.operation), let input = nameOfTensor(node.inputs.first),
      let output = node.outputs.first
    {
      aliases[output] = input
      return
    }
    var flow = Flow()
    // `Shape` gives a size and not an image's values, so its output has no sources.
    if node.operation != "Shape" {
      for input in node.inputs {
        guard let before = flows[input] else { continue }
        flow.sources.formUnion(before.sources)
        flow.foreign = flow.foreign ?? before.foreign
        flow.pads = before.pads
      }
    }
    switch node.operation {
    case "Conv": flow = Flow(sources: [try place(of: node, reading: flow)])
    case "Gemm", "MatMul":
      // A product of two values of the graph is no layer.
      if nameOfTensor(node.inputs.dropFirst().first) != nil || flow.sources.isEmpty {
        flow = Flow(sources: [try place(of: node, reading: flow)])
      }
    case "BatchNormalization": try addNorm(node, after: flow.sources)
    case "Pad": flow.pads = Self.pads(of: node, tensor)
    case let operation:
      note(node, operation, &flow)
    }
    guard !flow.sources.isEmpty else { return }
    for output in node.outputs { flows[output] = flow }
  }

  /// Notes an operation that is no layer on the layers that it follows.
  private mutating func note(_ node: ONNXGraph.Node, _ operation: String, _ flow: inout Flow) {
    guard !flow.sources.isEmpty else { return }
    let parameter = node.inputs.lazy.compactMap(nameOfTensor).first
    if Self.nonlinear.contains(operation) {
      for place in flow.sources { all[place].activations.insert(Self.token(node)) }
      if operation == "PRelu" { follow(flow.sources, \.slopes, parameter) }
    } else if operation == "Mul" {
      follow(flow.sources, \.scale, parameter)
    } else if operation == "Add" {
      guard let place = flow.sources.first, flow.sources.count == 1 else { return }
      let isBias =
        !all[place].isConvolution && all[place].bias == nil && all[place].scale == nil
        && all[place].norm == nil
      follow(flow.sources, isBias ? \.bias : \.shift, parameter)
    } else if operation == "InstanceNormalization" {
      if let groups = tensor(node.inputs.dropFirst().first)?.count { groupCounts.insert(groups) }
    } else if !Self.passing.contains(operation) {
      flow.foreign = flow.foreign ?? operation
    }
  }

  /// Notes a parameter with a value for each channel of the one layer that it follows.
  private mutating func follow(
    _ sources: Set<Int>, _ part: WritableKeyPath<Layer, String?>, _ parameter: String?
  ) {
    guard let place = sources.first, sources.count == 1, let parameter,
      state[parameter]?.count == all[place].shape[0], all[place][keyPath: part] == nil
    else { return }
    all[place][keyPath: part] = parameter
  }

  private mutating func place(
    of node: ONNXGraph.Node, reading flow: Flow
  ) throws(WeightsError) -> Int {
    guard let weight = nameOfTensor(node.inputs.dropFirst().first), let stored = state[weight]
    else {
      throw .unreadable(
        file: state.file,
        reason: "the weights of its \(node.operation) \(node.name) are computed, not stored")
    }
    let bias = nameOfTensor(node.inputs.dropFirst(2).first)
    let again = all.firstIndex {
      $0.weight == weight && $0.sources == flow.sources && $0.node.operation == node.operation
    }
    read.formUnion(flow.sources)
    if let again { return again }
    guard all.count < Self.layerLimit else { throw tooLarge }
    var layer = Layer(
      node: node, weight: weight, shape: stored.shape, bias: bias, sources: flow.sources,
      foreign: flow.foreign)
    if layer.isConvolution {
      let own = node.integers("pads", otherwise: [0, 0, 0, 0])
      layer.pads = own.count == 4 ? zip(own, flow.pads).map { $0 &+ $1 } : own
    } else {
      layer.isTransposed =
        node.operation == "MatMul" || node.integers("transB", otherwise: [0]) == [0]
      if layer.isTransposed { layer.shape.reverse() }
    }
    guard layer.shape.count == (layer.isConvolution ? 4 : 2) else {
      throw .unreadable(
        file: state.file, reason: "the weights \(weight) of a \(layer.noun) are \(stored.shape)")
    }
    all.append(layer)
    return all.count - 1
  }

  private mutating func addNorm(
    _ node: ONNXGraph.Node, after sources: Set<Int>
  ) throws(WeightsError) {
    guard let place = sources.first else { return }
    let parts = node.inputs.dropFirst().prefix(4).compactMap(nameOfTensor)
    let norm = Norm(
      scale: parts.first ?? "", shift: parts.dropFirst().first ?? "",
      mean: parts.dropFirst(2).first ?? "", variance: parts.last ?? "",
      epsilon: node.number("epsilon", otherwise: 1e-5))
    // A layer that runs twice has its norm twice.
    guard sources.count == 1, parts.count == 4, all[place].norm ?? norm == norm else {
      throw .unreadable(
        file: state.file, reason: "its norm \(node.name) does not follow a single layer")
    }
    all[place].norm = norm
  }

  /// A nonlinear function with its setting, rounded, so that two of them can be compared.
  private static func token(_ node: ONNXGraph.Node) -> String {
    guard node.operation == "LeakyRelu" else { return node.operation }
    // 0.01 is ONNX's default.
    let slope = node.number("alpha", otherwise: 0.01)
    return "LeakyRelu \((slope * 10_000).rounded() / 10_000)"
  }

  /// The zeros that a `Pad` adds to the rows and columns: top, left, bottom, right.
  private static func pads(
    of node: ONNXGraph.Node, _ tensor: (String?) -> StoredTensor?
  ) -> [Int64] {
    var values = node.integers("pads", otherwise: [])
    if values.isEmpty, let stored = try? tensor(node.inputs.dropFirst().first)?.tensor() {
      values = stored.scalars.map { Int64($0) }
    }
    guard values.count == 8 else { return [0, 0, 0, 0] }
    return [values[2], values[3], values[6], values[7]]
  }
}

extension ONNXGraph.Node {
  /// The number of a setting, or `otherwise` if the node does not have it.
  package func number(_ name: String, otherwise: Float) -> Float {
    if case .number(let value)? = attributes[name] { value } else { otherwise }
  }
}
