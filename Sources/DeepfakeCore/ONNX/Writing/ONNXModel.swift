import Foundation

/// A network as an ONNX model: its nodes, its tensors and its description.
///
/// ```swift
/// let model = try ONNXModel(tracing: .init(size: 64)) { images in
///   [("logits", network(images, .inference))]
/// }
/// try model.write(to: URL(fileURLWithPath: "mine.onnx"))
/// ```
public struct ONNXModel: Sendable {
  /// The extent of an axis of an input or output.
  public enum Extent: Sendable, Equatable {
    /// The same in every run.
    case fixed(Int)
    /// An extent that may differ from run to run, with the name that the file gives it.
    case named(String)
  }

  /// An input or output, of Float32.
  public struct Port: Sendable, Equatable {
    /// The name in the file.
    public var name: String
    /// The extents; images and maps have their channels first.
    public var shape: [Extent]
  }

  /// The nodes. A node comes after the nodes whose outputs it reads.
  package var nodes: [ONNXGraph.Node] = []
  /// The network's tensors, under the names by which the nodes read them.
  package var tensors = StateDict(tensors: [])
  /// The inputs, in the order in which the file lists them.
  public internal(set) var inputs: [Port] = []
  /// The outputs, in the order in which the traced network returns them.
  public internal(set) var outputs: [Port] = []
  /// What the file says of the network (`metadata_props`).
  public var metadata: [String: String] = [:]
  /// The graph's name in the file.
  public var name = "network"

  /// The network that was traced.
  var network: (@Sendable (Tensor) -> [(name: String, value: Tensor)])?

  /// What the traced network itself gives for images [batch, height, width, channels]: the outputs
  /// in order, with the file's order of axes.
  package func outputs(for images: Tensor) -> [Tensor] {
    (network?(images) ?? []).map { _, value in
      value.rank == 4 ? value.transposed(.channelsFirst(rank: 4)) : value
    }
  }

  /// The version of ONNX's operations that the nodes use.
  public static let operationSet: Int64 = 17
  /// The version of the file format, which readers of that operation set know.
  public static let formatVersion: Int64 = 8
}

extension ONNXModel {
  /// The size of the tensors in bytes from which they go to a file of their own. A protocol buffers
  /// message cannot have more than 2 GiB.
  public static let inlineLimit = 2_000_000_000

  /// Writes the model. A model with too many bytes for one file gets a second file, with `.data`
  /// added to the name, for its tensors.
  ///
  /// - Parameters:
  ///   - url: The file to write; an existing one is replaced.
  ///   - dtype: `.f32`, or `.f16` for weights and computation in half precision. Inputs and outputs
  ///     are Float32 in both.
  ///   - inlineLimit: The size of the tensors in bytes from which they go to the second file.
  /// - Returns: The files that were written.
  /// - Throws: `WeightsError.unwritable` if writing fails, or if a finite value would become
  ///   infinite as `.f16`.
  @discardableResult
  public func write(
    to url: URL, dtype: ElementType = .f32, inlineLimit: Int = inlineLimit
  ) throws(WeightsError) -> [URL] {
    precondition([.f32, .f16].contains(dtype), "ONNXModel.write: dtype \(dtype)")
    let model = dtype == .f16 ? inHalfPrecision : self
    let file = try OutputFile(url, failure: WeightsError.unwritable)
    guard tensors.elementCount * dtype.size > inlineLimit else {
      try model.message(dtype, dataFile: nil).write(to: file, name: url.relativePath)
      try file.close()
      return [url]
    }
    // The data go first: a model that refers to data that are not there is of no use.
    let data = url.deletingLastPathComponent()
      .appendingPathComponent(url.lastPathComponent + ".data")
    let dataFile = try OutputFile(data, failure: WeightsError.unwritable)
    for key in model.tensors.keys {
      guard let tensor = model.tensors[key] else { continue }
      let bytes = try tensor.bytes(as: dtype, key: key, writing: data.relativePath)
      try dataFile.write(bytes)
      try dataFile.write([UInt8](repeating: 0, count: Self.padding(bytes.count)))
    }
    try dataFile.close()
    try model.message(dtype, dataFile: data.lastPathComponent)
      .write(to: file, name: url.relativePath)
    try file.close()
    return [url, data]
  }

  /// Tensors in a file of their own start at multiples of 64 bytes.
  private static func padding(_ count: Int) -> Int { (64 - count % 64) % 64 }

  /// The model with casts after its inputs and before its outputs.
  private var inHalfPrecision: ONNXModel {
    var model = self
    func cast(_ from: String, _ to: String, _ type: ElementType) -> ONNXGraph.Node {
      ONNXGraph.Node(
        name: "\(to)/Cast", operation: "Cast", inputs: [from], outputs: [to],
        attributes: ["to": .integer(ONNXTensor.number(of: type))])
    }
    let entering = Dictionary(uniqueKeysWithValues: inputs.map { ($0.name, "\($0.name)_f16") })
    let leaving = Dictionary(uniqueKeysWithValues: outputs.map { ($0.name, "\($0.name)_f16") })
    for index in model.nodes.indices {
      model.nodes[index].inputs = nodes[index].inputs.map { entering[$0] ?? leaving[$0] ?? $0 }
      model.nodes[index].outputs = nodes[index].outputs.map { leaving[$0] ?? $0 }
    }
    model.nodes =
      inputs.map { cast($0.name, "\($0.name)_f16", .f16) } + model.nodes
      + outputs.map { cast("\($0.name)_f16", $0.name, .f32) }
    return model
  }

  private func message(_ dtype: ElementType, dataFile: String?) -> ProtobufWriter {
    var message = ProtobufWriter()
    message.integer(1, Self.formatVersion)
    message.text(2, "dfkit")
    message.text(3, metadata["dfkit.version"] ?? "")
    message.message(7, graph(dtype, dataFile: dataFile))
    message.message(8) { $0.integer(2, Self.operationSet) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      message.message(14) {
        $0.text(1, key)
        $0.text(2, value)
      }
    }
    return message
  }

  private func graph(_ dtype: ElementType, dataFile: String?) -> ProtobufWriter {
    var graph = ProtobufWriter()
    for node in nodes { graph.message(1, node.message(dtype)) }
    graph.text(2, name)
    var offset = 0
    for key in tensors.keys {
      guard let tensor = tensors[key] else { continue }
      let length = tensor.count * dtype.size
      let place = dataFile.map { ($0, offset, length) }
      graph.message(5, tensor.message(named: key, as: dtype, in: place))
      offset += length + Self.padding(length)
    }
    for input in inputs { graph.message(11, input.message) }
    for output in outputs { graph.message(12, output.message) }
    return graph
  }
}

extension ONNXGraph.Node {
  /// The node as a message. Constants are written as `dtype`, except those that must stay Float32.
  func message(_ dtype: ElementType) -> ProtobufWriter {
    var node = ProtobufWriter()
    for input in inputs { node.text(1, input) }
    for output in outputs { node.text(2, output) }
    node.text(3, name)
    node.text(4, operation)
    for (key, value) in attributes.sorted(by: { $0.key < $1.key }) {
      node.message(5) { $0.attribute(key, value, dtype) }
    }
    if !domain.isEmpty { node.text(7, domain) }
    return node
  }
}

extension ProtobufWriter {
  fileprivate mutating func attribute(
    _ name: String, _ value: ONNXGraph.Attribute, _ dtype: ElementType
  ) {
    text(1, name)
    switch value {
    case .number(let number):
      self.number(2, number)
      integer(20, 1)
    case .integer(let number):
      integer(3, number)
      integer(20, 2)
    case .text(let text):
      self.text(4, text)
      integer(20, 3)
    case .tensor(let tensor):
      message(5, tensor.message(named: "", as: dtype))
      integer(20, 4)
    case .numbers(let numbers):
      for number in numbers { self.number(7, number) }
      integer(20, 6)
    case .integers(let numbers):
      for number in numbers { integer(8, number) }
      integer(20, 7)
    case .texts(let texts):
      for text in texts { self.text(9, text) }
      integer(20, 8)
    case .other: break
    }
  }
}

extension ONNXModel.Port {
  fileprivate var message: ProtobufWriter {
    var port = ProtobufWriter()
    port.text(1, name)
    port.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, ONNXTensor.number(of: .f32))
        tensor.message(2) { shape in
          for extent in self.shape {
            shape.message(1) {
              switch extent {
              case .fixed(let extent): $0.integer(1, Int64(extent))
              case .named(let name): $0.text(2, name)
              }
            }
          }
        }
      }
    }
    return port
  }
}

extension StoredTensor {
  /// The tensor as a message. `place` says where its elements are, if they are in another file.
  fileprivate func message(
    named name: String, as dtype: ElementType,
    in place: (file: String, offset: Int, length: Int)? = nil
  ) -> ProtobufWriter {
    var tensor = ProtobufWriter()
    for extent in shape { tensor.integer(1, Int64(extent)) }
    tensor.integer(2, ONNXTensor.number(of: dtype))
    if !name.isEmpty { tensor.text(8, name) }
    guard let place else {
      tensor.elements(9, self, as: dtype)
      return tensor
    }
    let entries = [
      ("location", place.file), ("offset", "\(place.offset)"), ("length", "\(place.length)"),
    ]
    for (key, value) in entries {
      tensor.message(13) {
        $0.text(1, key)
        $0.text(2, value)
      }
    }
    tensor.integer(14, 1)
    return tensor
  }
}
