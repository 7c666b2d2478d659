import OrderedCollections

/// Reads the initialisers and the nodes of an ONNX file (a protocol buffers message; field numbers
/// are those of onnx.proto). What a network's definition can hold besides is passed over.
struct ONNXReader {
  private let file: MappedFile

  /// Nodes, and tensors, that a file may have; names that all nodes together may have.
  private static let itemLimit = 1 << 17
  private static let nameLimit = 1 << 20
  /// Settings of a node, and integers of a setting.
  private static let attributeLimit = 256
  /// Bytes of a setting that is text; longer ones are for other programs.
  private static let textLimit = 64

  init(_ file: MappedFile) {
    self.file = file
  }

  /// Whether a file begins as ONNX files do: with the version of the format and a field of text or
  /// the graph after it.
  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count > 3 && bytes[0] == 0x08 && (1..<0x40).contains(bytes[1])
      && [0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42].contains(bytes[2])
  }

  private var name: String { file.name }

  /// The file's tensors under their names, with the graph. Throws `WeightsError`.
  func read() throws(WeightsError) -> StateDict {
    var reader = ProtobufReader(file.bytes, file: name)
    var graph: UnsafeRawBufferPointer?
    var metadata: [String: String] = [:]
    var hasOperationSet = false
    while let field = try reader.next() {
      switch field.number {
      case 7:
        guard graph == nil else { throw .damagedMessage(name, "it holds two graphs") }
        graph = try field.bytes(name)
      case 8: hasOperationSet = true
      case 14: try readMetadata(field.bytes(name), into: &metadata)
      default: break
      }
    }
    // Writers put the version of the operations behind the graph, so that a shortened file lacks
    // it.
    guard let graph, hasOperationSet else {
      throw .unreadable(
        file: name,
        reason:
          "it holds no whole ONNX model; it is cut short, or of another kind than its name or first"
          + " bytes say")
    }
    return try readGraph(graph, metadata)
  }

  private func readMetadata(
    _ bytes: UnsafeRawBufferPointer, into metadata: inout [String: String]
  ) throws(WeightsError) {
    var reader = ProtobufReader(bytes, file: name)
    var (key, value) = ("", "")
    while let field = try reader.next() {
      if field.number == 1 { key = try field.text(name) }
      if field.number == 2 { value = try field.text(name) }
    }
    guard metadata.count < 1000 else {
      throw .damagedMessage(name, "it has more than 1000 entries of metadata")
    }
    metadata[key] = value
  }

  private func readGraph(
    _ bytes: UnsafeRawBufferPointer, _ metadata: [String: String]
  ) throws(WeightsError) -> StateDict {
    var reader = ProtobufReader(bytes, file: name)
    var graph = ONNXGraph()
    var tensors: OrderedDictionary<String, StoredTensor> = [:]
    var names = 0
    while let field = try reader.next() {
      switch field.number {
      case 1:
        let node = try readNode(field.bytes(name))
        names += node.inputs.count + node.outputs.count
        graph.nodes.append(node)
      case 5:
        let tensor = try ONNXTensor(field.bytes(name), in: file).stored()
        guard !tensor.key.isEmpty, tensors.updateValue(tensor, forKey: tensor.key) == nil else {
          throw .damagedMessage(
            name, tensor.key.isEmpty ? "a tensor has no name" : "it holds \(tensor.key) twice")
        }
      case 11: graph.inputs.append(try readValueName(field.bytes(name)))
      case 12: graph.outputs.append(try readValueName(field.bytes(name)))
      case 15: throw .refused(file: name, found: "sparse tensors")
      default: break
      }
      guard
        max(graph.nodes.count, tensors.count, graph.inputs.count, graph.outputs.count)
          <= Self.itemLimit, names <= Self.nameLimit
      else { throw .damagedMessage(name, "it has more nodes or tensors than any network") }
    }
    guard !tensors.isEmpty else {
      throw .unreadable(file: name, reason: "its ONNX graph holds no weights (initializers)")
    }
    var state = StateDict(file: name, tensors: tensors, metadata: metadata)
    state.graph = graph
    return state
  }

  private func readNode(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> ONNXGraph.Node {
    var reader = ProtobufReader(bytes, file: name)
    var node = ONNXGraph.Node()
    while let field = try reader.next() {
      switch field.number {
      case 1: node.inputs.append(try field.text(name))
      case 2: node.outputs.append(try field.text(name))
      case 3: node.name = try field.text(name)
      case 4: node.operation = try field.text(name)
      case 5:
        let (key, value) = try readAttribute(field.bytes(name))
        node.attributes[key] = value
        guard node.attributes.count <= Self.attributeLimit else {
          throw .damagedMessage(name, "a node has more than \(Self.attributeLimit) settings")
        }
      case 7: node.domain = try field.text(name)
      default: break
      }
      guard node.inputs.count + node.outputs.count <= Self.nameLimit else {
        throw .damagedMessage(name, "a node has more inputs than any network")
      }
    }
    return node
  }

  private func readAttribute(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> (String, ONNXGraph.Attribute) {
    var reader = ProtobufReader(bytes, file: name)
    var key = ""
    var value = ONNXGraph.Attribute.other
    var integers: [Int64] = []
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, _): key = try field.text(name)
      case (2, .fixed32(let bits)): value = .number(Float(bitPattern: bits))
      case (3, _): value = .integer(try field.integer(name))
      case (4, .bytes(let bytes)) where bytes.count <= Self.textLimit:
        value = .text(String(decoding: bytes, as: UTF8.self))
      case (8, _):
        try field.append(to: &integers, limit: Self.attributeLimit * 16, name)
        value = .integers(integers)
      default: break
      }
    }
    return (key, value)
  }

  private func readValueName(_ bytes: UnsafeRawBufferPointer) throws(WeightsError) -> String {
    var reader = ProtobufReader(bytes, file: name)
    var found = ""
    while let field = try reader.next() {
      if field.number == 1 { found = try field.text(name) }
    }
    return found
  }
}
