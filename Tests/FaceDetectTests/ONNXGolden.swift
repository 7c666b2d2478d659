import DeepfakeCore
import FaceDetect
import Foundation
import TestSupport

/// What `Tests/Fixtures/make_onnx.py` writes: a graph without its weights, whose values are
/// computed from their names, and what ONNX Runtime makes of it.
struct ONNXGolden: Decodable, Sendable {
  struct Node: Decodable, Sendable {
    var kind: String
    var inputs, outputs: [String]
    var attributes: [String: Attribute]
    /// Whether it is a landmark head's convolution.
    var shapeIs20 = false

    enum CodingKeys: CodingKey { case kind, inputs, outputs, attributes }
  }

  enum Attribute: Decodable, Sendable {
    case number(Double)
    case list([Int])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let list = try? container.decode([Int].self) {
        self = .list(list)
      } else {
        self = .number(try container.decode(Double.self))
      }
    }
  }

  var width: Int
  var height: Int
  var input: String
  var nodes: [Node]
  /// Shapes of tensors by name.
  var tensors: [String: [Int]]
  var logits, boxes, landmarks: DetectorGolden.Sample
  /// Tensors that are not computed from their names.
  var values: [String: [Float]] = [:]

  enum CodingKeys: CodingKey {
    case width, height, input, nodes, tensors, logits, boxes, landmarks
  }

  static func load() throws -> ONNXGolden {
    var golden = try JSONDecoder().decode(
      ONNXGolden.self, from: Data(contentsOf: Paths.fixture("onnx.json")))
    for place in golden.nodes.indices where golden.nodes[place].kind == "Conv" {
      golden.nodes[place].shapeIs20 =
        golden.tensors[golden.nodes[place].inputs[1]]?.prefix(1) == [20]
    }
    return golden
  }

  /// The frame that ONNX Runtime saw.
  var frame: Tensor {
    let values = Formula.uniform(input, count: height * width * 3)
    return Tensor(values.map { Float(($0 - 0.5) * 200) }, shape: [1, height, width, 3])
  }

  /// The ONNX file.
  var file: Data {
    typealias Bytes = ProtobufBytes
    var graph: [UInt8] = []
    for node in nodes {
      var bytes = node.inputs.flatMap { Bytes.text(1, $0) }
      bytes += node.outputs.flatMap { Bytes.text(2, $0) } + Bytes.text(4, node.kind)
      for (name, value) in node.attributes {
        var attribute = Bytes.text(1, name)
        switch value {
        case .number(let number) where ["alpha", "epsilon"].contains(name):
          attribute += Bytes.fixed32(2, Float(number).bitPattern)
        case .number(let number): attribute += Bytes.varint(3, UInt64(number))
        case .list(let list): attribute += list.flatMap { Bytes.varint(8, UInt64($0)) }
        }
        bytes += Bytes.bytes(5, attribute)
      }
      graph += Bytes.bytes(1, bytes)
    }
    for (name, shape) in tensors {
      let values = values[name] ?? Formula.values(name, shape: shape, varianceScale: 1)
      let raw = values.withUnsafeBytes { Array($0) }
      graph += Bytes.bytes(
        5,
        shape.flatMap { Bytes.varint(1, UInt64($0)) } + Bytes.varint(2, 1) + Bytes.text(8, name)
          + Bytes.bytes(9, raw))
    }
    return Data(
      Bytes.varint(1, 6) + Bytes.bytes(7, graph) + Bytes.bytes(8, Bytes.varint(2, 11)))
  }

  /// The same graph with a batch norm behind every convolution that has one, and a checkpoint's
  /// weights.
  func unfolded(_ weights: StateDict) throws -> ONNXGolden {
    var golden = self
    golden.nodes = []
    var keys = Self.publishedKeys.makeIterator()
    /// The keys of weights, by the graph's names for them.
    var known: [String: String] = [:]
    func set(_ name: String, _ key: String) throws {
      golden.tensors[name] = weights[key]?.shape
      golden.values[name] = try weights[key]?.tensor().scalars
    }
    // Biases go into the norms; copies of tensors keep the weights' alone.
    for var node in nodes where node.kind != "Identity" || node.inputs[0].hasSuffix(".weight") {
      guard node.kind == "Conv" else {
        golden.nodes.append(node)
        continue
      }
      let name = node.inputs[1].replacingOccurrences(of: "_copy", with: "")
      guard let key = known[name] ?? keys.next() else { continue }
      known[name] = key
      try set(name, key)
      let base = key.dropLast(".weight".count)
      guard let child = base.split(separator: ".").last.flatMap({ Int($0) }) else {
        try set(node.inputs[2], "\(base).bias")
        golden.nodes.append(node)
        continue
      }
      golden.tensors[node.inputs[2]] = nil
      let norm = base.dropLast("\(child)".count) + "\(child + 1)"
      let parts = ["weight", "bias", "running_mean", "running_var"].map { "\(norm).\($0)" }
      for part in parts { try set(part, part) }
      let output = node.outputs[0]
      node.inputs.removeLast()
      node.outputs = ["\(output).plain"]
      golden.nodes.append(node)
      golden.nodes.append(
        Node(
          kind: "BatchNormalization", inputs: node.outputs + parts, outputs: [output],
          attributes: ["epsilon": .number(1e-5)]))
    }
    return golden
  }

  /// Keys of the convolutions' weights in the order of the graph.
  private static var publishedKeys: [String] {
    let store = ParameterStore()
    _ = PlainRetinaFace(.mobileNet, store.root)
    var keys = store.parameters.filter { $0.shape.count == 4 }.map(\.key)
    if let merge = keys.firstIndex(of: "fpn.merge1.0.weight") { keys.swapAt(merge, merge + 1) }
    let heads = ["ClassHead", "BboxHead", "LandmarkHead"]
    return keys.filter { key in !heads.contains { key.hasPrefix($0) } }
      + heads.flatMap { head in keys.filter { $0.hasPrefix(head) } }
  }
}
