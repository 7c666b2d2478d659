import DeepfakeCore
import Foundation
import TestSupport

/// A small ONNX model that a test writes.
struct ONNXBytes {
  private typealias Bytes = ProtobufBytes
  private var graph: [UInt8] = []
  /// The version of ONNX's operations.
  var opset: UInt64 = 17

  /// A model that has a weight "w" of shape [3, 3, 1, 1], which some readers need.
  init() {
    tensor("w", [3, 3, 1, 1], floats: [Float](repeating: 0.5, count: 9))
  }

  mutating func input(_ name: String, _ shape: [Int], type: UInt64 = 1) {
    let dimensions = shape.flatMap { Bytes.bytes(1, $0 < 0 ? [] : Bytes.varint(1, UInt64($0))) }
    let tensor = Bytes.varint(1, type) + Bytes.bytes(2, dimensions)
    graph += Bytes.bytes(11, Bytes.text(1, name) + Bytes.bytes(2, Bytes.bytes(1, tensor)))
  }

  mutating func output(_ name: String) { graph += Bytes.bytes(12, Bytes.text(1, name)) }

  mutating func node(
    _ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    integers: [String: [Int]] = [:], integer: [String: Int] = [:], text: [String: String] = [:],
    texts: [String: [String]] = [:]
  ) {
    var bytes = inputs.flatMap { Bytes.text(1, $0) } + outputs.flatMap { Bytes.text(2, $0) }
    bytes += Bytes.text(3, "the_\(operation)") + Bytes.text(4, operation)
    for (name, values) in integers {
      let list = values.flatMap { Bytes.varint(8, UInt64(bitPattern: Int64($0))) }
      bytes += Bytes.bytes(5, Bytes.text(1, name) + list)
    }
    for (name, value) in integer {
      let number = Bytes.varint(3, UInt64(bitPattern: Int64(value)))
      bytes += Bytes.bytes(5, Bytes.text(1, name) + number)
    }
    for (name, value) in text {
      bytes += Bytes.bytes(5, Bytes.text(1, name) + Bytes.text(4, value))
    }
    for (name, values) in texts {
      bytes += Bytes.bytes(5, Bytes.text(1, name) + values.flatMap { Bytes.text(9, $0) })
    }
    if !domain.isEmpty { bytes += Bytes.text(7, domain) }
    graph += Bytes.bytes(1, bytes)
  }

  mutating func tensor(_ name: String, _ shape: [Int], floats: [Float]) {
    add(name, shape, type: 1, floats.withUnsafeBytes { Array($0) })
  }

  mutating func tensor(_ name: String, integers: [Int]) {
    add(name, [integers.count], type: 7, integers.withUnsafeBytes { Array($0) })
  }

  private mutating func add(_ name: String, _ shape: [Int], type: UInt64, _ raw: [UInt8]) {
    graph += Bytes.bytes(
      5,
      shape.flatMap { Bytes.varint(1, UInt64($0)) } + Bytes.varint(2, type) + Bytes.text(8, name)
        + Bytes.bytes(9, raw))
  }

  /// A tensor of floats whose elements are in another file.
  mutating func external(_ name: String, _ shape: [Int], _ places: [String: String]) {
    let entries = places.sorted { $0.key < $1.key }.flatMap {
      Bytes.bytes(13, Bytes.text(1, $0.key) + Bytes.text(2, $0.value))
    }
    graph += Bytes.bytes(
      5,
      shape.flatMap { Bytes.varint(1, UInt64($0)) } + Bytes.varint(2, 1) + Bytes.text(8, name)
        + entries + Bytes.varint(14, 1))
  }

  var data: Data {
    Data(
      Bytes.varint(1, 8) + Bytes.bytes(7, graph) + Bytes.bytes(8, Bytes.varint(2, opset)))
  }

  /// The model as read from a file of its own.
  func state() throws -> StateDict {
    try Paths.withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("small.onnx")
      try data.write(to: file)
      return try StateDict.read(file)
    }
  }
}
