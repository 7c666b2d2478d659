import DeepfakeCore

/// The convolutions of an ONNX file, in execution order, with the convolutions that each one reads.
struct GraphConvolutions {
  /// A convolution. If the same weights run twice on the same input, it is listed once.
  struct Convolution {
    var node: ONNXGraph.Node
    var weight: StoredTensor
    var bias: StoredTensor?
    /// The norm after the convolution; nil if it is folded into the weights.
    var norm: Norm?
    /// Indices in `all` of the convolutions whose outputs it reads.
    var sources: Set<Int>
    /// The first activation after the convolution.
    var activation: Activation?
    /// An operation between its sources and itself that occurs in none of this package's networks.
    var foreign: String?
  }

  /// A batch norm of the graph.
  struct Norm {
    var scale, shift, mean, variance: StoredTensor
    var epsilon: Float
  }

  private(set) var all: [Convolution] = []

  /// The origin of a value: the convolutions it comes from.
  private struct Flow {
    var sources: Set<Int> = []
    var foreign: String?
  }

  private let state: StateDict
  private var flows: [String: Flow] = [:]
  /// Alternative names of tensors.
  private var aliases: [String: String] = [:]

  /// Operations that are not activations and that values may pass through.
  private static let passing: Set<String> = [
    "Add", "Cast", "Concat", "Identity", "MaxPool", "Reshape", "Resize", "Transpose", "Upsample",
  ]

  /// The largest numbers of nodes and convolutions, several times those of the largest network
  /// here.
  private static let nodeLimit = 10_000
  private static let convolutionLimit = 500

  /// Throws `WeightsError` if a convolution's weights are not in the file, or if the graph is
  /// larger than that of any network here.
  init(_ graph: ONNXGraph, _ state: StateDict) throws(WeightsError) {
    self.state = state
    guard graph.nodes.count <= Self.nodeLimit else { throw tooLarge }
    for node in graph.nodes { try add(node) }
  }

  private var tooLarge: WeightsError {
    .unreadable(
      file: state.file,
      reason: "its graph is not RetinaFace's: it has more than \(Self.nodeLimit) nodes or"
        + " \(Self.convolutionLimit) convolutions")
  }

  private func tensor(_ name: String) -> StoredTensor? { state[aliases[name] ?? name] }

  private mutating func add(_ node: ONNXGraph.Node) throws(WeightsError) {
    if node.operation == "Identity", let input = node.inputs.first, let output = node.outputs.first,
      tensor(input) != nil
    {
      aliases[output] = aliases[input] ?? input
      return
    }
    var flow = Flow()
    // `Shape` gives a size and not a frame's values, so its output has no sources.
    if node.operation != "Shape" {
      for input in node.inputs {
        guard let before = flows[input] else { continue }
        flow.sources.formUnion(before.sources)
        flow.foreign = flow.foreign ?? before.foreign
      }
    }
    switch node.operation {
    case "Conv": flow = Flow(sources: [try place(of: node, reading: flow)])
    case "BatchNormalization": try addNorm(node, after: flow.sources)
    case "Relu": note(.relu, of: flow.sources)
    case "LeakyRelu":
      // 0.01 is ONNX's default.
      if case .number(let slope)? = node.attributes["alpha"] {
        note(.leakyReLU(slope: slope), of: flow.sources)
      } else {
        note(.leakyReLU(slope: 0.01), of: flow.sources)
      }
    case let operation:
      if !flow.sources.isEmpty, !Self.passing.contains(operation) {
        flow.foreign = flow.foreign ?? operation
      }
    }
    guard !flow.sources.isEmpty else { return }
    for output in node.outputs { flows[output] = flow }
  }

  private mutating func place(
    of node: ONNXGraph.Node, reading flow: Flow
  ) throws(WeightsError) -> Int {
    guard node.inputs.count >= 2, let weight = tensor(node.inputs[1]) else {
      throw .unreadable(
        file: state.file,
        reason: "the weights of its convolution \(node.name) are computed, not stored")
    }
    let bias = node.inputs.count > 2 ? tensor(node.inputs[2]) : nil
    let again = all.firstIndex {
      $0.weight.key == weight.key && $0.bias?.key == bias?.key && $0.sources == flow.sources
    }
    if let again { return again }
    guard all.count < Self.convolutionLimit else { throw tooLarge }
    all.append(
      Convolution(
        node: node, weight: weight, bias: bias, sources: flow.sources, foreign: flow.foreign))
    return all.count - 1
  }

  private mutating func addNorm(
    _ node: ONNXGraph.Node, after sources: Set<Int>
  ) throws(WeightsError) {
    guard let place = sources.first else { return }
    let parts = node.inputs.dropFirst().prefix(4).compactMap(tensor)
    guard sources.count == 1, parts.count == 4 else {
      throw .unreadable(
        file: state.file, reason: "its norm \(node.name) does not follow a single convolution")
    }
    var epsilon: Float = 1e-5
    if case .number(let value)? = node.attributes["epsilon"] { epsilon = value }
    all[place].norm = Norm(
      scale: parts[0], shift: parts[1], mean: parts[2], variance: parts[3], epsilon: epsilon)
  }

  private mutating func note(_ activation: Activation, of sources: Set<Int>) {
    for place in sources where all[place].activation == nil { all[place].activation = activation }
  }
}
