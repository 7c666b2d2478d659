/// A network that an ONNX file describes, run by this library's own operations.
///
/// ```swift
/// let network = try ONNXNetwork(StateDict.read(file))
/// for input in network.inputs { print(input.name, input.shape ?? []) }
/// let outputs = try network(["input": images])  // N, C, H, W, as the file has them
/// ```
///
/// The graph must consist of operations that dfkit has, in versions 7 to 21 of ONNX. Floats of
/// every precision are computed as Float32, and integers may only be shapes and indices. Batch
/// norms and activations after convolutions are computed with them.
public struct ONNXNetwork: Sendable {
  /// An input of the network.
  public struct Input: Sendable, Equatable {
    /// The name in the file.
    public var name: String
    /// The extents in the file's order of axes, which is N, C, H, W for images. An extent that each
    /// call can choose is nil. Nil if the file does not state the shape.
    public var shape: [Int?]?
  }

  /// The inputs that each call needs.
  public let inputs: [Input]
  /// The names of the outputs.
  public let outputs: [String]

  /// The operations that dfkit has, sorted.
  public static var operations: [String] { ONNXOperations.catalogue.keys.sorted() }

  /// The file's name, for messages.
  private let file: String
  private let plan: ONNXPlan
  /// Whether each input holds integers.
  private let takesIntegers: [Bool]

  /// Plans the graph of an ONNX file, and packs its weights.
  ///
  /// - Throws: `WeightsError.unreadable` if the file is no ONNX model, needs an operation or a
  ///   setting that dfkit does not have, or has a graph that is not valid.
  public init(_ state: StateDict) throws(WeightsError) {
    guard let graph = state.graph else {
      throw .unreadable(
        file: state.file, reason: "it is not an ONNX model, so there is no graph to run")
    }
    try graph.check(state)
    // Older files list their tensors as inputs, too.
    let declared = graph.declaredInputs.filter { state[$0.name] == nil }
    guard Set(declared.map(\.name)).count == declared.count else {
      throw .unreadable(file: state.file, reason: "two inputs of its graph have the same name")
    }
    for input in declared {
      if let type = input.type, !type.isFloatingPoint, type != .i64, type != .i32 {
        throw .unreadable(
          file: state.file,
          reason: "its input \(input.name.prefix(100)) has elements of type \(type.rawValue);"
            + " dfkit has inputs of floats and of 32-bit or 64-bit integers")
      }
    }
    file = state.file
    inputs = declared.map { Input($0) }
    outputs = graph.outputs
    takesIntegers = declared.map { $0.type.map { !$0.isFloatingPoint } ?? false }
    plan = try ONNXPlan(graph, state, inputs: declared.map(\.name))
  }

  /// Runs the network.
  ///
  /// - Parameter inputs: A tensor for each input by its name, with its axes in the file's order.
  /// - Returns: The outputs by their names, with their axes in the file's order. Integers are
  ///   converted to floats.
  /// - Throws: `WeightsError.unreadable` if an input is missing, unknown or misshapen, or if shapes
  ///   do not fit in the graph; the message names the node.
  public func callAsFunction(
    _ inputs: [String: Tensor]
  ) throws(WeightsError) -> [String: Tensor] {
    var values: [ONNXValue] = []
    for input in self.inputs {
      guard let tensor = inputs[input.name] else {
        throw refused("its input \(input.name) is missing")
      }
      values.append(.floats(ONNXFloats(tensor)))
    }
    let names = self.inputs.map(\.name)
    if let name = inputs.keys.sorted().first(where: { !names.contains($0) }) {
      throw refused("it has no input \(name), only \(names.joined(separator: ", "))")
    }
    var results: [String: Tensor] = [:]
    for (name, value) in try run(values) { results[name] = value }
    return results
  }

  /// Runs a network with one input on a batch of images.
  ///
  /// - Parameter images: [batch, height, width, channels]. If the input has four axes, of which
  ///   only the last has as many elements as the images have channels, it is taken as N, H, W, C;
  ///   else as N, C, H, W.
  /// - Returns: The outputs in the order of the file, with their axes in the file's order.
  /// - Throws: `WeightsError.unreadable` if the network has several inputs, or if shapes do not
  ///   fit.
  package func run(images: Tensor) throws(WeightsError) -> [(name: String, value: Tensor)] {
    guard inputs.count == 1, images.rank == 4 else {
      throw refused(
        "it needs \(inputs.count) inputs (\(inputs.map(\.name).joined(separator: ", "))), and gets"
          + " images of shape \(images.shape)")
    }
    let channels = images.shape[3]
    let isChannelsLast =
      inputs[0].shape.map { $0.count == 4 && $0[3] == channels && $0[1] != channels } ?? false
    return try run([
      .floats(isChannelsLast ? ONNXFloats(images) : ONNXFloats(channelsLast: images))
    ])
  }

  private func run(_ given: [ONNXValue]) throws(WeightsError) -> [(name: String, value: Tensor)] {
    var values: [ONNXValue] = []
    for (index, value) in given.enumerated() {
      try check(value.shape, inputs[index])
      values.append(takesIntegers[index] ? try integers(value, inputs[index].name) : value)
    }
    return zip(outputs, try plan.run(values, file: file)).map { name, value in
      switch value {
      case .floats(let floats): (name, floats.fileOrder)
      case .integers(let integers):
        (name, Tensor(integers.values.map { Float($0) }, shape: integers.shape))
      }
    }
  }

  private func check(_ shape: [Int], _ input: Input) throws(WeightsError) {
    guard shape.count <= ONNXLimit.rank, shape.reduce(1, *) <= ONNXLimit.elements else {
      throw refused("its input \(input.name) has the shape \(shape), which is too large")
    }
    guard let declared = input.shape else { return }
    let fits =
      declared.count == shape.count
      && zip(declared, shape).allSatisfy { $0 == nil || $0 == $1 }
    guard fits else {
      let text = declared.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
      throw refused("its input \(input.name) has the shape [\(text)], not \(shape)")
    }
  }

  /// An input of integers, which comes as floats.
  private func integers(_ value: ONNXValue, _ name: String) throws(WeightsError) -> ONNXValue {
    guard case .floats(let floats) = value, floats.count <= ONNXLimit.integers else {
      throw refused("its input \(name) has too many integers")
    }
    var integers: [Int] = []
    for number in floats.fileOrder.scalars {
      guard let integer = Int(exactly: number) else {
        throw refused("its input \(name) must hold integers, not \(number)")
      }
      integers.append(integer)
    }
    return .integers(ONNXIntegers(integers, shape: floats.shape))
  }

  private func refused(_ reason: String) -> WeightsError {
    .unreadable(file: file, reason: "its graph cannot run: \(reason)")
  }
}

extension ONNXNetwork.Input {
  fileprivate init(_ input: ONNXGraph.Input) {
    name = input.name
    shape = input.shape?.map { extent in
      if case .fixed(let value) = extent { value } else { nil }
    }
  }
}
