/// The graph of an ONNX file: the network's operations with their inputs, in the order in which
/// they run.
///
/// The file's tensors are in the `StateDict` that has this graph, under the names that the nodes
/// use.
package struct ONNXGraph: Sendable, Equatable {
  /// One operation.
  package struct Node: Sendable, Equatable {
    /// The node's name in the file; it may be empty.
    package var name = ""
    /// The type of the operation, such as `Conv` or `LeakyRelu`.
    package var operation = ""
    /// The namespace of the operation; empty for ONNX's own operations.
    package var domain = ""
    /// The names of its inputs: inputs of the graph, tensors, or outputs of other nodes. An
    /// optional input that is left out has an empty name.
    package var inputs: [String] = []
    /// The names of its outputs.
    package var outputs: [String] = []
    /// The settings by name.
    package var attributes: [String: Attribute] = [:]
  }

  /// A setting of a node.
  package enum Attribute: Sendable {
    case integer(Int64)
    case number(Float)
    case integers([Int64])
    case numbers([Float])
    case text(String)
    case texts([String])
    case tensor(StoredTensor)
    /// A graph, a tensor of texts or another kind of value; it is not kept.
    case other
  }

  /// An extent of an input's shape; its name may be empty.
  package typealias Extent = ONNXModel.Extent

  /// An input of the network, as the file declares it.
  package struct Input: Sendable, Equatable {
    package var name = ""
    /// The type of its elements; nil if the file does not state it or dfkit does not know it.
    package var type: ElementType?
    /// The extents of its axes; nil if the file does not state them.
    package var shape: [Extent]?
  }

  /// The nodes in file order. A node comes after the nodes whose outputs it reads.
  package var nodes: [Node] = []
  /// The network's inputs. Older files list the tensors here, too.
  package var declaredInputs: [Input] = []
  /// The names of the network's outputs.
  package var outputs: [String] = []
  /// The version of ONNX's own operations that the nodes follow; 0 if the file does not state it.
  package var opset = 0

  /// The names of the network's inputs. Older files list the names of the tensors here, too.
  package var inputs: [String] { declaredInputs.map(\.name) }
}

extension [ONNXGraph.Node] {
  /// The tensors that `Constant` nodes hold, by the names of their outputs.
  var constantTensors: [String: StoredTensor] {
    var constants: [String: StoredTensor] = [:]
    for node in self where node.operation == "Constant" {
      if case .tensor(let tensor)? = node.attributes["value"], let output = node.outputs.first {
        constants[output] = tensor
      }
    }
    return constants
  }
}

extension ONNXGraph.Node {
  /// The integers of a setting, or `otherwise` if the node does not have it. Empty if the setting
  /// is of another type.
  package func integers(_ name: String, otherwise: [Int64]) -> [Int64] {
    switch attributes[name] {
    case nil: otherwise
    case .integers(let values): values
    case .integer(let value): [value]
    case .number, .numbers, .text, .texts, .tensor, .other: []
    }
  }
}

extension ONNXGraph.Attribute: Equatable {
  /// Whether two settings have the same type and value. Tensors are equal if their types, shapes
  /// and elements are.
  package static func == (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a == b
    case (.number(let a), .number(let b)): a == b
    case (.integers(let a), .integers(let b)): a == b
    case (.numbers(let a), .numbers(let b)): a == b
    case (.text(let a), .text(let b)): a == b
    case (.texts(let a), .texts(let b)): a == b
    case (.tensor(let a), .tensor(let b)):
      a.dtype == b.dtype && a.shape == b.shape && a.rawBytes() == b.rawBytes()
    case (.other, .other): true
    default: false
    }
  }
}
