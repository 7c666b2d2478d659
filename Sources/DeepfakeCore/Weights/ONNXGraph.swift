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
  package enum Attribute: Sendable, Equatable {
    case integer(Int64)
    case number(Float)
    case integers([Int64])
    case numbers([Float])
    case text(String)
    case tensor(StoredTensor)
    /// A graph or another kind of list; its value is not kept.
    case other
  }

  /// The nodes in file order. A node comes after the nodes whose outputs it reads.
  package var nodes: [Node] = []
  /// The names of the network's inputs. Older files list the names of the tensors here, too.
  package var inputs: [String] = []
  /// The names of the network's outputs.
  package var outputs: [String] = []
}

extension ONNXGraph.Node {
  /// The integers of a setting, or `otherwise` if the node does not have it. Empty if the setting
  /// is of another type.
  package func integers(_ name: String, otherwise: [Int64]) -> [Int64] {
    switch attributes[name] {
    case nil: otherwise
    case .integers(let values): values
    case .integer(let value): [value]
    case .number, .numbers, .text, .tensor, .other: []
    }
  }
}
