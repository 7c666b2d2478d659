/// A tensor of a traced computation: a value of the graph that is built, or a constant.
///
/// dfkit's axes are batch, height, width, channels; ONNX's are batch, channels, height, width. A
/// value knows in which order the graph has its axes, so that axes are moved only where needed.
package struct TracedValue: Sendable {
  /// The origin of the elements.
  package enum Source: Sendable {
    /// The graph's value of this name.
    case graph(String)
    /// A tensor that does not depend on the network's inputs; a parameter, if it is one.
    case constant(Tensor, Parameter?)
  }

  package let source: Source
  /// The extents in dfkit's order of axes, for the inputs that were traced.
  package let shape: [Int]
  /// For each axis in the graph, the axis of `shape`.
  package let order: [Int]

  package init(_ source: Source, shape: [Int], order: [Int]? = nil) {
    self.source = source
    self.shape = shape
    self.order = order ?? Array(shape.indices)
  }

  package var rank: Int { shape.count }

  package var isConstant: Bool {
    if case .constant = source { true } else { false }
  }

  /// The position in the graph of an axis, which may count from the last.
  package func position(of axis: Int) -> Int {
    order.firstIndex(of: axis < 0 ? axis + rank : axis) ?? axis
  }
}

extension [Int] {
  /// ONNX's order of the axes of [batch, ..., channels]: batch, channels, then the others.
  static func channelsFirst(rank: Int) -> [Int] {
    rank < 3 ? Array(0..<rank) : [0, rank - 1] + (1..<rank - 1)
  }
}

/// The reason why a network cannot be written as an ONNX graph.
public struct ONNXExportError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The reason, with the operation that it is about.
  public let reason: String

  package init(_ reason: String) {
    self.reason = reason
  }

  /// The message for users.
  public var description: String { "the network cannot be written as ONNX: \(reason)" }
}
