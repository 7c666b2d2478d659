import DeepfakeCore
import Foundation

/// What was written for a network.
package struct ExportReport: Sendable {
  /// Where the weights came from.
  package var source: String
  /// The model's file, and the file of its tensors if they have one of their own.
  package var files: [URL]
  /// The size of the files together.
  package var bytes: Int
  package var name: String
  package var dtype: ElementType
  package var inputs: [ONNXModel.Port]
  package var outputs: [ONNXModel.Port]
  /// The number of nodes of each operation, most frequent first.
  package var operations: [(name: String, count: Int)]
  package var parameterCount: Int
  package var metadata: [String: String]
  /// The model that was written.
  let model: ONNXModel
  /// The comparison with another program's results, if it was asked for.
  package var check: ExportCheck.Result?

  init(_ network: ONNXModel, source: String, files: [URL], dtype: ElementType) {
    model = network
    self.source = source
    self.files = files
    self.dtype = dtype
    bytes = files.reduce(0) { sum, file in sum + ((try? file.fileSize) ?? 0) }
    name = network.name
    inputs = network.inputs
    outputs = network.outputs
    let counts = Dictionary(network.nodes.map { ($0.operation, 1) }, uniquingKeysWith: +)
    operations = counts.map { (name: $0.key, count: $0.value) }
      .sorted { ($0.count, $1.name) > ($1.count, $0.name) }
    parameterCount = network.tensors.elementCount
    metadata = network.metadata
  }

  /// The report as text.
  package var text: String {
    var lines = [
      "\(files[0].relativePath): \(name), \(parameterCount) parameters as \(dtype.rawValue),"
        + " \(bytes) bytes"
    ]
    lines += files.dropFirst().map { "  tensors     \($0.relativePath)" }
    lines += inputs.map { "  input       \($0.text)" } + outputs.map { "  output      \($0.text)" }
    lines.append(
      "  operations  " + operations.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
    if let check { lines.append("  check       \(check.text)") }
    return lines.joined(separator: "\n")
  }

  /// The report as JSON.
  package var json: JSON {
    [
      "source": .string(source), "files": .array(files.map { .string($0.relativePath) }),
      "bytes": .integer(bytes), "network": .string(name), "dtype": .string(dtype.rawValue),
      "parameters": .integer(parameterCount), "inputs": .array(inputs.map(\.json)),
      "outputs": .array(outputs.map(\.json)),
      "operationSet": .integer(Int(ONNXModel.operationSet)),
      "operations": .object(
        operations.map { .init(key: $0.name, value: .integer($0.count)) }),
      "metadata": .object(
        metadata.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }),
      "check": check?.json ?? .null,
    ]
  }
}

extension ONNXModel.Port {
  var text: String { "\(name) [\(shape.map(\.text).joined(separator: ", "))]" }

  var json: JSON {
    [
      "name": .string(name),
      "shape": .array(
        shape.map {
          switch $0 {
          case .fixed(let extent): .integer(extent)
          case .named(let name): .string(name)
          }
        }),
    ]
  }
}

extension ONNXModel.Extent {
  fileprivate var text: String {
    switch self {
    case .fixed(let extent): "\(extent)"
    case .named(let name): name
    }
  }
}

extension URL {
  fileprivate var fileSize: Int {
    get throws { try resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0 }
  }
}
