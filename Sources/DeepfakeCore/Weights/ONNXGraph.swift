/// What an ONNX file says of its network beside the weights: which operation reads what, in the
/// order in which they run.
///
/// The tensors of the file are those of the `StateDict` that the graph came with, under the names
/// that nodes have for them.
package struct ONNXGraph: Sendable, Equatable {
  /// One operation.
  package struct Node: Sendable, Equatable {
    /// Its name in the file; may be empty.
    package var name = ""
    /// The operation: `Conv`, `LeakyRelu` and the like.
    package var operation = ""
    /// The operations' name space; empty for ONNX's own.
    package var domain = ""
    /// Names of what it reads: inputs of the graph, tensors, outputs of other nodes; empty for an
    /// optional input that is left out.
    package var inputs: [String] = []
    /// Names of what it gives.
    package var outputs: [String] = []
    /// Its settings by name.
    package var attributes: [String: Attribute] = [:]
  }

  /// A setting of a node.
  package enum Attribute: Sendable, Equatable {
    case integer(Int64)
    case number(Float)
    case integers([Int64])
    case text(String)
    /// A tensor, a graph or a list, which is not kept.
    case other
  }

  /// The nodes in the order of the file, in which no node comes before what it reads.
  package var nodes: [Node] = []
  /// Names of what the network is given; older files name the tensors too.
  package var inputs: [String] = []
  /// Names of what it gives.
  package var outputs: [String] = []
}

extension ONNXGraph.Node {
  /// The integers of a setting, or what they are where the node does not say.
  package func integers(_ name: String, otherwise: [Int64]) -> [Int64] {
    switch attributes[name] {
    case nil: otherwise
    case .integers(let values): values
    case .integer(let value): [value]
    case .number, .text, .other: []
    }
  }
}
