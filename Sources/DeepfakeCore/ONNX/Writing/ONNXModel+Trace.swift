extension ONNXModel {
  /// An image input of the network to trace.
  public struct ImageInput: Sendable {
    /// The name in the file.
    public var name = "input"
    /// The height and width of the images.
    public var size: Size2d
    /// The number of channels of the images.
    public var channels = 3
    /// Whether the model takes images of other sizes, too.
    public var hasOpenSize = false

    /// Creates an input; by default of images with three channels, of this size only.
    public init(size: Size2d, channels: Int = 3, hasOpenSize: Bool = false) {
      self.size = size
      self.channels = channels
      self.hasOpenSize = hasOpenSize
    }
  }

  /// Traces a network: runs it on images and keeps what its operations say of themselves.
  ///
  /// It runs with one image and with two, and with another size if the size is open. The nodes must
  /// be the same each time, or the model would be right only for what was traced.
  ///
  /// - Parameters:
  ///   - input: The network's input. The model takes it as [batch, channels, height, width].
  ///   - naming: The name of a parameter in the file.
  ///   - network: The plain forward pass (not the packed one) of [batch, height, width, channels]:
  ///     the outputs with their names. Maps are put out with the channels first.
  /// - Throws: `ONNXExportError` if ONNX cannot say what the network computes.
  public init(
    tracing input: ImageInput, naming: @escaping (Parameter) -> String = { $0.key },
    _ network: @escaping @Sendable (Tensor) -> [(name: String, value: Tensor)]
  ) throws(ONNXExportError) {
    let (height, width) = (input.size.height, input.size.width)
    func trace(batch: Int, _ size: Size2d) throws(ONNXExportError) -> TracedGraph {
      try TracedGraph(
        [batch, size.height, size.width, input.channels], input, naming: naming, network)
    }
    let first = try trace(batch: 1, input.size)
    let second = try trace(batch: 2, input.size)
    guard first.nodes == second.nodes else {
      throw ONNXExportError("what it computes depends on the number of images in a batch")
    }
    var others = [second]
    if input.hasOpenSize {
      // Odd numbers, so that nothing divides evenly by chance.
      let other = try trace(batch: 1, Size2d(height: height + 37, width: width + 21))
      guard first.nodes == other.nodes else {
        throw ONNXExportError("what it computes depends on the size of the images")
      }
      others.append(other)
    }
    self.network = network
    nodes = first.nodes.joiningBiases(of: Set(first.parameters.map(\.name)))
    tensors = StateDict(
      tensors: first.parameters.map {
        StateDict.Entry($0.name, $0.parameter.value, layout: $0.parameter.layout)
      })
    let size: [Extent] =
      input.hasOpenSize ? [.named("height"), .named("width")] : [.fixed(height), .fixed(width)]
    inputs = [Port(name: input.name, shape: [.named("batch"), .fixed(input.channels)] + size)]
    outputs = first.outputs.indices.map { index in
      let (name, shape) = first.outputs[index]
      let open = shape.indices.map { axis in
        let differs = others.map { $0.outputs[index].shape[axis] != shape[axis] }
        if !differs.contains(true) { return Extent.fixed(shape[axis]) }
        return axis == 0 && shape[0] == 1 ? .named("batch") : .named("\(name)_\(axis)")
      }
      return Port(name: name, shape: open)
    }
  }
}

extension ONNXModel {
  /// Traces a computation on tensors of fixed shapes. The inputs are called `input0` and so on; the
  /// output is `output`, with its axes in dfkit's order.
  ///
  /// - Parameter channelsFirst: Whether the graph has the inputs' last axis second.
  /// - Throws: `ONNXExportError` if ONNX cannot say what is computed.
  package init(
    tracing tensors: [Tensor], channelsFirst: Bool = false, _ body: ([Tensor]) -> Tensor
  ) throws(ONNXExportError) {
    let trace = ONNXTrace { $0.key }
    let orders = tensors.map {
      channelsFirst ? .channelsFirst(rank: $0.rank) : Array($0.shape.indices)
    }
    let traced = tensors.enumerated().map {
      trace.input($1, named: "input\($0)", order: orders[$0])
    }
    let output = Recording.$current.withValue(trace) { body(traced) }
    if let failure = trace.failure { throw failure }
    guard let value = trace.value(of: output), !value.isConstant else {
      throw ONNXExportError("its output is not computed from its inputs by operations")
    }
    trace.builder.finish([(trace.builder.name(value), "output")])
    nodes = trace.builder.nodes
    inputs = tensors.enumerated().map { index, tensor in
      Port(name: "input\(index)", shape: orders[index].map { .fixed(tensor.shape[$0]) })
    }
    outputs = [Port(name: "output", shape: output.shape.map { .fixed($0) })]
    self.tensors = StateDict(
      tensors: trace.builder.parameters.map {
        StateDict.Entry($0.name, $0.parameter.value, layout: $0.parameter.layout)
      })
  }

  /// The nodes of a network whose values do not matter, to find its layers in a file (`ONNXMatch`):
  /// its parameters, which need not have values, become zero.
  ///
  /// - Throws: `ONNXExportError` if ONNX cannot say what the network computes.
  package init(
    structureOf store: ParameterStore, _ input: ImageInput,
    naming: @escaping (Parameter) -> String = { $0.key },
    _ network: (Tensor) -> [(name: String, value: Tensor)]
  ) throws(ONNXExportError) {
    for parameter in store.parameters { parameter.value = Tensor(zeros: parameter.shape) }
    let traced = try TracedGraph(
      [1, input.size.height, input.size.width, input.channels], input, naming: naming, network)
    nodes = traced.nodes.joiningBiases(of: Set(traced.parameters.map(\.name)))
    tensors = StateDict(
      tensors: traced.parameters.map {
        StateDict.Entry($0.name, $0.parameter.value, layout: $0.parameter.layout)
      })
  }

  /// Adds a network's description to the metadata: what `dfkit` writes into weights, and in words
  /// what the input must be.
  package mutating func describe(_ description: ModelMetadata) {
    metadata.merge(description.entries) { $1 }
    guard let input = inputs.first, let mean = description.mean, let std = description.std else {
      return
    }
    let order = (description.channelOrder ?? .rgb).rawValue
    metadata["input"] =
      "\(input.name): float32, batch x channels x height x width, channels \(order);"
      + " (byte / 255 - mean) / std, mean \(mean), std \(std) of red, green and blue"
  }
}

/// What one run of a network has left.
private struct TracedGraph {
  var nodes: [ONNXGraph.Node]
  var parameters: [(name: String, parameter: Parameter)]
  /// The outputs' names, and shapes in the graph's order of axes.
  var outputs: [(name: String, shape: [Int])] = []

  init(
    _ shape: [Int], _ input: ONNXModel.ImageInput, naming: @escaping (Parameter) -> String,
    _ network: (Tensor) -> [(name: String, value: Tensor)]
  ) throws(ONNXExportError) {
    let trace = ONNXTrace(hasOpenSize: input.hasOpenSize, naming: naming)
    let images = trace.input(
      Tensor(repeating: 0.5, shape: shape), named: input.name, order: .channelsFirst(rank: 4))
    let results = Recording.$current.withValue(trace) { network(images) }
    if let failure = trace.failure { throw failure }
    var names: [(value: String, name: String)] = []
    for (name, tensor) in results {
      guard let value = trace.value(of: tensor), !value.isConstant else {
        throw ONNXExportError("its output \(name) is not computed from its input by operations")
      }
      let order = [Int].channelsFirst(rank: value.rank)
      names.append((trace.builder.name(value, in: value.rank == 4 ? order : nil), name))
      outputs.append((name, value.rank == 4 ? order.map { value.shape[$0] } : value.shape))
    }
    trace.builder.finish(names)
    nodes = trace.builder.nodes
    parameters = trace.builder.parameters
  }
}

extension [ONNXGraph.Node] {
  /// The nodes with each product and the addition of a parameter that follows it as one `Gemm`.
  fileprivate func joiningBiases(of parameters: Set<String>) -> [ONNXGraph.Node] {
    var uses: [String: Int] = [:]
    for name in flatMap(\.inputs) { uses[name, default: 0] += 1 }
    var joined: [ONNXGraph.Node] = []
    for node in self {
      guard node.operation == "Add", let last = joined.last, last.operation == "Gemm",
        last.inputs.count == 2, node.inputs.first == last.outputs[0],
        uses[last.outputs[0]] == 1, parameters.contains(node.inputs[1])
      else {
        joined.append(node)
        continue
      }
      joined[joined.count - 1].inputs.append(node.inputs[1])
      joined[joined.count - 1].outputs = node.outputs
    }
    return joined
  }
}
