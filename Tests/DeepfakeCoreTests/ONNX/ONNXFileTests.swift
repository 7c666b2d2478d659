import DeepfakeCore
import Foundation
import TestSupport
import Testing

/// What an ONNX file gives, and what it is refused for; `make_onnx.py` made the fixtures.
@Suite("Weights: ONNX files")
struct ONNXFileTests {
  @Test func everyElementTypeIsReadInEitherForm() throws {
    let state = try StateDict.read(Paths.fixture("checkpoints/kinds.onnx"))
    let expected = try JSONDecoder().decode(
      [String: ExpectedTensor].self,
      from: Data(contentsOf: Paths.fixture("checkpoints/expected-onnx.json")))
    try expectExact(state, expected)
    #expect(state["bfloat16.raw"]?.dtype == .bf16)
    #expect(state["int64.list"]?.dtype == .i64)
  }

  @Test func theGraphIsWhatTheFileSays() throws {
    let state = try StateDict.read(Paths.fixture("checkpoints/kinds.onnx"))
    let graph = try #require(state.graph)
    #expect(graph.nodes.map(\.operation) == ["LeakyRelu", "Add"])
    #expect(graph.nodes.map(\.name) == ["leaky", "add"])
    #expect(graph.nodes[1].inputs == ["y", "scalar"])
    #expect(graph.outputs == ["z"])
    #expect(
      graph.nodes[0].attributes == [
        "alpha": .number(0.5), "text": .text("t"), "numbers": .integers([3, 4]),
        "count": .integer(2),
      ])
    #expect(graph.nodes[0].integers("numbers", otherwise: []) == [3, 4])
    #expect(graph.nodes[0].integers("missing", otherwise: [1]) == [1])
  }

  @Test func theContentsTellAnONNXFileWithoutItsSuffix() throws {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("weights.bin")
      try FileManager.default.copyItem(at: Paths.fixture("checkpoints/kinds.onnx"), to: file)
      #expect(try StateDict.read(file).graph != nil)
    }
  }

  @Test(arguments: [
    ("refuse-external.onnx", "weights.bin cannot be found"), ("refuse-strings.onnx", "type 8"),
  ])
  func whatIsNoTensorInTheFileIsRefused(_ name: String, _ words: String) {
    let error = #expect(throws: WeightsError.self) {
      try StateDict.read(Paths.fixture("checkpoints/\(name)"))
    }
    #expect(error?.description.contains(words) == true)
    #expect(error?.description.contains(name) == true)
  }
}

/// Files that claim more than they hold.
@Suite("Weights: hostile ONNX files")
struct HostileONNXTests {
  private typealias Bytes = ProtobufBytes

  private func read(_ bytes: [UInt8]) throws -> StateDict {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("hostile.onnx")
      try Data(bytes).write(to: file)
      return try StateDict.read(file)
    }
  }

  private func model(_ graph: [UInt8]) -> [UInt8] {
    Bytes.varint(1, 6) + Bytes.bytes(7, graph) + Bytes.bytes(8, Bytes.varint(2, 11))
  }

  private func model(tensor: [UInt8]) -> [UInt8] { model(Bytes.bytes(5, tensor)) }

  private func tensor(
    type: UInt64 = 1, _ dimensions: [UInt64], _ elements: [UInt8], name: String = "weight"
  ) -> [UInt8] {
    dimensions.flatMap { Bytes.varint(1, $0) } + Bytes.varint(2, type)
      + Bytes.text(8, name) + elements
  }

  private static let floats = [UInt8](repeating: 0, count: 24)

  @Test func acceptsWhatFits() throws {
    let whole = tensor([2, 3], Bytes.bytes(9, Self.floats))
    #expect(try read(model(tensor: whole))["weight"]?.shape == [2, 3])
    let packed = Bytes.bytes(1, [2, 3]) + Bytes.varint(2, 1) + Bytes.text(8, "weight")
    #expect(try read(model(tensor: packed + Bytes.bytes(4, Self.floats)))["weight"]?.count == 6)
    // Unpacked lists, one number a field.
    let single = (0..<2).flatMap { _ in Bytes.fixed32(4, 0x4000_0000) }
    #expect(try read(model(tensor: tensor([2], single)))["weight"]?.tensor().scalars == [2, 2])
    let negative = Bytes.varint(5, UInt64(bitPattern: -7))
    #expect(
      try read(model(tensor: tensor(type: 6, [1], negative)))["weight"]?.tensor().scalars == [-7])
  }

  private func refused(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    let error = #expect(throws: WeightsError.self, sourceLocation: sourceLocation) {
      try read(bytes)
    }
    #expect(
      error?.description.contains("hostile.onnx") == true, sourceLocation: sourceLocation)
  }

  @Test func refusesShapesThatAreNotTheElements() {
    let huge: UInt64 = 1 << 62
    let negative = UInt64(bitPattern: -2)
    for dimensions in [
      [7], [2, 4], [negative], [negative, negative], [huge, huge], [huge, 4], [0, huge, huge],
      [UInt64](repeating: 1, count: 65),
    ] {
      refused(model(tensor: tensor(dimensions, Bytes.bytes(9, Self.floats))))
      refused(model(tensor: tensor(dimensions, Bytes.bytes(4, Self.floats))))
    }
    refused(model(tensor: tensor([6], Bytes.bytes(4, Self.floats.dropLast()))))
    refused(model(tensor: tensor([6], Bytes.bytes(4, Self.floats) + Bytes.bytes(9, Self.floats))))
    refused(model(tensor: tensor([3], Bytes.bytes(10, Self.floats))))
    refused(model(tensor: tensor([6], [])))
  }

  @Test func refusesNumbersAndLengthsBeyondTheFile() {
    let endless = [UInt8](repeating: 0xFF, count: 11)
    refused(endless)
    refused([0x08] + endless)
    refused([0x3A] + endless.prefix(9) + [0x01])
    refused([0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x00])
    // Field number 0, a group, wire types that do not exist.
    for tag: UInt8 in [0x00, 0x07, 0x0B, 0x0C, 0x0E, 0x0F] { refused([0x08, 0x06, tag, 0x00]) }
    let weights = tensor([6], Bytes.bytes(9, Self.floats))
    refused(model(Bytes.bytes(5, weights) + [0x0A, 0x7F]))
    refused(model(Bytes.bytes(5, weights) + Bytes.bytes(5, weights)))
    refused(model(tensor: tensor([6], Bytes.bytes(9, Self.floats), name: "")))
    refused(model([]))
    refused(Bytes.varint(1, 6) + Bytes.bytes(8, Bytes.varint(2, 11)))
    refused(model(Bytes.bytes(5, weights) + Bytes.varint(1, 3)))
  }

  @Test func depthCostsNothing() throws {
    // A message in a message in a message: a reader that followed would need as deep a stack.
    var nested: [UInt8] = []
    for _ in 0..<5000 { nested = Bytes.bytes(6, nested) }
    let node = Bytes.text(4, "If") + Bytes.bytes(5, Bytes.text(1, "then") + nested)
    let weights = Bytes.bytes(5, tensor([6], Bytes.bytes(9, Self.floats)))
    let state = try read(model(Bytes.bytes(1, node) + weights))
    #expect(state.graph?.nodes.first?.attributes == ["then": .other])
  }

  @Test func manyEmptyNodesAreRefused() {
    let nodes = [[UInt8]](repeating: Bytes.bytes(1, []), count: (1 << 17) + 1).flatMap { $0 }
    refused(model(nodes + Bytes.bytes(5, tensor([6], Bytes.bytes(9, Self.floats)))))
  }
}
