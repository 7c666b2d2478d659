import Synchronization

/// A record of a computation as an ONNX graph: every call of an operation on a traced value adds
/// the operation's nodes.
///
/// One thread records; hence `@unchecked Sendable`.
final class ONNXTrace: CallRecorder, @unchecked Sendable {
  let number = GradientNode.newRecord()
  let builder: GraphBuilder
  /// The first operation that has no ONNX form.
  private(set) var failure: ONNXExportError?
  /// The nodes of traced tensors, and what they are in the graph. The list keeps the nodes alive,
  /// because their addresses identify them.
  private var values: [ObjectIdentifier: TracedValue] = [:]
  private var nodes: [GradientNode] = []
  private var leaves: [ObjectIdentifier: GradientNode] = [:]

  init(hasOpenSize: Bool = false, naming: @escaping (Parameter) -> String) {
    builder = GraphBuilder(hasOpenSize: hasOpenSize, naming: naming)
  }

  /// `tensor` as the graph's value `name`, whose axes the graph has in `order`.
  func input(_ tensor: Tensor, named name: String, order: [Int]) -> Tensor {
    traced(tensor, as: TracedValue(.graph(name), shape: tensor.shape, order: order))
  }

  /// What a traced tensor is in the graph; nil for other tensors.
  func value(of tensor: Tensor) -> TracedValue? {
    guard let node = tensor.node, node.tape == number else { return nil }
    return values[ObjectIdentifier(node)]
  }

  func follows(_ tensors: [Tensor]) -> Bool {
    failure == nil && tensors.contains { value(of: $0)?.isConstant == false }
  }

  func leaf(_ parameter: Parameter, _ value: Tensor) -> Tensor {
    var tensor = value
    if let node = leaves[ObjectIdentifier(parameter)] {
      tensor.node = node
      return tensor
    }
    tensor = traced(value, as: TracedValue(.constant(value, parameter), shape: value.shape))
    leaves[ObjectIdentifier(parameter)] = tensor.node
    return tensor
  }

  func record(_ operation: some Operation, _ inputs: [Tensor]) -> Tensor {
    let output = operation.forward(inputs.map(\.detached)).output
    let values = inputs.map {
      value(of: $0) ?? TracedValue(.constant($0.detached, nil), shape: $0.shape)
    }
    do throws(ONNXExportError) {
      let value = try operation.addNodes(to: builder, values, output: output.shape)
      return traced(output, as: value)
    } catch {
      failure = error
      return output
    }
  }

  func recordBlock(_ input: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor { body(input) }

  private func traced(_ tensor: Tensor, as value: TracedValue) -> Tensor {
    var result = tensor.detached
    let node = GradientNode(on: number, shape: tensor.shape, source: .leaf(nil))
    nodes.append(node)
    values[ObjectIdentifier(node)] = value
    result.node = node
    return result
  }
}
