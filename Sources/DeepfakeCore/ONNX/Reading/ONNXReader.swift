import Foundation
import OrderedCollections

/// A reader of the initializers and nodes of an ONNX file, which is a protocol buffers message. The
/// field numbers are those of onnx.proto. Other contents of the file are ignored.
struct ONNXReader {
  private let file: MappedFile
  /// The other files that hold tensors of this model.
  private let external: ONNXExternalData

  /// The maximum number of nodes and of tensors, and of the names in all nodes together.
  private static let itemLimit = 1 << 17
  private static let nameLimit = 1 << 20
  /// The maximum number of settings of a node. A setting may have 16 times as many integers.
  private static let attributeLimit = 256
  /// The maximum size of a text setting in bytes. Longer texts are ignored; they are for other
  /// programs.
  private static let textLimit = 64

  /// Creates a reader of `file`. Tensors that it stores in other files must be in `folder`.
  init(_ file: MappedFile, folder: URL) {
    self.file = file
    external = ONNXExternalData(folder: folder, model: file.name)
  }

  /// The size in bytes of the file and of the other files that were read.
  var size: Int { file.bytes.count + external.size }

  /// Whether a file starts like an ONNX file: with the format version, followed by a text field or
  /// the graph.
  static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count > 3 && bytes[0] == 0x08 && (1..<0x40).contains(bytes[1])
      && [0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42].contains(bytes[2])
  }

  private var name: String { file.name }

  /// Reads the file's tensors under their names, with the graph.
  ///
  /// - Throws: `WeightsError` if the file is damaged or holds sparse tensors.
  func read() throws(WeightsError) -> StateDict {
    var reader = ProtobufReader(file.bytes, file: name)
    var graph: UnsafeRawBufferPointer?
    var metadata: [String: String] = [:]
    var opset: Int?
    while let field = try reader.next() {
      switch field.number {
      case 7:
        guard graph == nil else { throw .damagedMessage(name, "it holds two graphs") }
        graph = try field.bytes(name)
      case 8:
        let (domain, version) = try readOpset(field.bytes(name))
        opset = isDefault(domain) ? version : opset ?? 0
      case 14: try readMetadata(field.bytes(name), into: &metadata)
      default: break
      }
    }
    // Writers store the version of the operations after the graph, so a truncated file lacks it.
    guard let graph, let opset else {
      throw .unreadable(
        file: name,
        reason:
          "it is not a complete ONNX model: the file is truncated, or it is not an ONNX file")
    }
    var state = try readGraph(graph, metadata)
    state.graph?.opset = opset
    return state
  }

  private func readOpset(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> (domain: String, version: Int) {
    var reader = ProtobufReader(bytes, file: name)
    var (domain, version) = ("", 0)
    while let field = try reader.next() {
      if field.number == 1 { domain = try field.text(name) }
      if field.number == 2 { version = Int(clamping: try field.integer(name)) }
    }
    return (domain, version)
  }

  /// Whether this is the namespace of ONNX's own operations.
  private func isDefault(_ domain: String) -> Bool { domain.isEmpty || domain == "ai.onnx" }

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
        names += node.inputs.count + node.outputs.count + node.attributes.count
        graph.nodes.append(node)
      case 5:
        let tensor = try ONNXTensor(field.bytes(name), in: file).stored(external)
        guard !tensor.key.isEmpty, tensors.updateValue(tensor, forKey: tensor.key) == nil else {
          throw .damagedMessage(
            name, tensor.key.isEmpty ? "a tensor has no name" : "it holds \(tensor.key) twice")
        }
      case 11: graph.declaredInputs.append(try readInput(field.bytes(name)))
      case 12: graph.outputs.append(try readInput(field.bytes(name)).name)
      case 15: throw .refused(file: name, found: "sparse tensors")
      default: break
      }
      guard
        max(
          graph.nodes.count, tensors.count, graph.declaredInputs.count,
          graph.outputs.count)
          <= Self.itemLimit, names <= Self.nameLimit
      else { throw .damagedMessage(name, "it has too many nodes or tensors for a network") }
    }
    guard !tensors.isEmpty || graph.nodes.contains(where: { $0.operation == "Constant" }) else {
      throw .unreadable(
        file: name, reason: "its ONNX graph holds no weights (initializers or constants)")
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
          throw .damagedMessage(name, "a node has more than \(Self.attributeLimit) attributes")
        }
      case 7: node.domain = try field.text(name)
      default: break
      }
      guard node.inputs.count + node.outputs.count <= Self.nameLimit else {
        throw .damagedMessage(name, "a node has too many inputs or outputs for a network")
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
    var numbers: [Float] = []
    var texts: [String] = []
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, _): key = try field.text(name)
      case (2, .fixed32(let bits)): value = .number(Float(bitPattern: bits))
      case (3, _): value = .integer(try field.integer(name))
      case (4, .bytes(let bytes)) where bytes.count <= Self.textLimit:
        value = .text(String(decoding: bytes, as: UTF8.self))
      case (5, .bytes(let bytes)):
        let tensor = try ONNXTensor(bytes, in: file)
        value = tensor.hasKnownType ? .tensor(try tensor.stored(external)) : .other
      case (7, _):
        try field.append(to: &numbers, limit: Self.attributeLimit * 16, name)
        value = .numbers(numbers)
      case (8, _):
        try field.append(to: &integers, limit: Self.attributeLimit * 16, name)
        value = .integers(integers)
      case (9, .bytes(let bytes)) where bytes.count <= Self.textLimit:
        guard texts.count < Self.attributeLimit else {
          throw .damagedMessage(name, "an attribute has more than \(Self.attributeLimit) texts")
        }
        texts.append(String(decoding: bytes, as: UTF8.self))
        value = .texts(texts)
      default: break
      }
    }
    return (key, value)
  }

  /// Reads an input or output: its name, element type and shape (ValueInfoProto).
  private func readInput(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> ONNXGraph.Input {
    var reader = ProtobufReader(bytes, file: name)
    var input = ONNXGraph.Input()
    while let field = try reader.next() {
      switch field.number {
      case 1: input.name = try field.text(name)
      case 2:
        guard let tensor = try message(1, in: field.bytes(name)) else { break }
        var reader = ProtobufReader(tensor, file: name)
        while let field = try reader.next() {
          if field.number == 1 { input.type = ONNXTensor.types[try field.integer(name)] }
          if field.number == 2 { input.shape = try readShape(field.bytes(name)) }
        }
      default: break
      }
    }
    return input
  }

  /// The last field `number` of a message, which is a message itself; nil if there is none.
  private func message(
    _ number: Int, in bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> UnsafeRawBufferPointer? {
    var reader = ProtobufReader(bytes, file: name)
    var found: UnsafeRawBufferPointer?
    while let field = try reader.next() {
      if field.number == number { found = try field.bytes(name) }
    }
    return found
  }

  private func readShape(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> [ONNXGraph.Extent] {
    var reader = ProtobufReader(bytes, file: name)
    var shape: [ONNXGraph.Extent] = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      guard shape.count < StridedView.maximumRank else {
        throw .damagedMessage(name, "an input has more than \(StridedView.maximumRank) axes")
      }
      var extent = ONNXGraph.Extent.named("")
      var dimension = ProtobufReader(try field.bytes(name), file: name)
      while let field = try dimension.next() {
        // Some writers state an extent that is not known as 0 or -1.
        if field.number == 1, case let value = try field.integer(name), value > 0 {
          extent = .fixed(Int(clamping: value))
        }
        if field.number == 2 { extent = .named(try field.text(name)) }
      }
      shape.append(extent)
    }
    return shape
  }
}
