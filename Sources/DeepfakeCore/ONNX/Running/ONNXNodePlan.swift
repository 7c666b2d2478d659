/// What a graph's operation computes from its inputs. An input that is left out is nil.
typealias ONNXBody = @Sendable (ONNXArguments) throws(ONNXMismatch) -> [ONNXValue]

/// The values that a node reads.
struct ONNXArguments {
  let values: [ONNXValue?]

  /// Whether the node has input `index`.
  func has(_ index: Int) -> Bool { index < values.count && values[index] != nil }

  /// Input `index`. Throws if it is left out.
  func value(_ index: Int) throws(ONNXMismatch) -> ONNXValue {
    guard index < values.count, let value = values[index] else {
      throw ONNXMismatch("its input \(index + 1) is missing")
    }
    return value
  }

  /// Input `index`, a tensor with at least one element.
  func floats(_ index: Int) throws(ONNXMismatch) -> ONNXFloats {
    guard case .floats(let floats) = try value(index) else {
      throw ONNXMismatch("its input \(index + 1) holds integers; dfkit computes it on floats only")
    }
    guard floats.count > 0 else {
      throw ONNXMismatch("its input \(index + 1) of shape \(floats.shape) has no elements")
    }
    return floats
  }

  /// Input `index` as images [batch, height, width, channels].
  func images(_ index: Int) throws(ONNXMismatch) -> Tensor {
    let floats = try floats(index)
    guard floats.rank == 4 else {
      throw ONNXMismatch(
        "its input of shape \(floats.shape) is not a batch of images (N, C, H, W), and dfkit"
          + " computes it on images only")
    }
    return floats.channelsLast
  }

  /// Input `index`, integers.
  func integers(_ index: Int) throws(ONNXMismatch) -> ONNXIntegers {
    guard case .integers(let integers) = try value(index) else {
      throw ONNXMismatch("its input \(index + 1) holds floats instead of integers")
    }
    return integers
  }

  /// The setting if there is one, otherwise input `index`: a list of integers or one integer. Nil
  /// if both are left out.
  func list(_ index: Int, unless setting: [Int]? = nil) throws(ONNXMismatch) -> [Int]? {
    if let setting { return setting }
    guard has(index) else { return nil }
    let integers = try integers(index)
    guard integers.shape.count <= 1 else {
      throw ONNXMismatch("its input \(index + 1) of shape \(integers.shape) is not a list")
    }
    return integers.values
  }

  /// Input `index`, one number; nil if it is left out.
  func number(_ index: Int) throws(ONNXMismatch) -> Float? {
    guard has(index) else { return nil }
    switch try value(index) {
    case .floats(let floats) where floats.count == 1: return floats.stored.item
    case .integers(let integers) where integers.values.count == 1: return Float(integers.values[0])
    case let value: throw ONNXMismatch("its input \(index + 1) has the shape \(value.shape)")
    }
  }
}

/// A value that is the same in every run.
enum ONNXConstant: Sendable {
  /// A tensor of the file, not converted yet.
  case stored(StoredTensor)
  /// A value that was computed from other constants.
  case value(ONNXValue)
}

/// The constants of a graph that is being planned.
final class ONNXConstants {
  var all: [String: ONNXConstant] = [:]
}

/// What is known of a node before it runs. Each operation checks its settings and turns them into a
/// body; weights that never change can be packed for the kernels here.
struct ONNXNodePlan {
  let node: ONNXGraph.Node
  /// The version of ONNX's operations.
  let opset: Int
  /// The file's name.
  let file: String
  /// The batch norm after a convolution, which is computed with it.
  var norm: ONNXFusedNorm?
  /// The activation after a convolution, which is computed with it.
  var activation = Activation.identity
  /// The constants of the graph so far.
  let constants: ONNXConstants
  /// The inputs that the body does not read, because it holds them in another form.
  var packed: Set<Int> = []

  /// A name for the node's layer in messages and timings.
  var key: String { node.name.isEmpty ? node.outputs.first ?? node.operation : node.name }

  /// Whether the node has input `index`.
  func has(_ index: Int) -> Bool { index < node.inputs.count && !node.inputs[index].isEmpty }

  /// Input `index` as a tensor of floats in a file, if it never changes and has elements.
  func weight(_ index: Int) -> StoredTensor? {
    guard has(index) else { return nil }
    switch constants.all[node.inputs[index]] {
    case .stored(let stored) where stored.dtype.isFloatingPoint && stored.count > 0: return stored
    case .value(.floats(let floats)) where floats.count > 0:
      return StoredTensor(
        file: file, key: node.inputs[index], tensor: floats.fileOrder, layout: .unchanged)
    default: return nil
    }
  }

  /// An integer setting. Throws if it is of another type or outside `range`.
  func integer(
    _ name: String, _ otherwise: Int, in range: ClosedRange<Int> = -(1 << 31)...1 << 31
  ) throws(ONNXMismatch) -> Int {
    switch node.attributes[name] {
    case nil: return otherwise
    case .integer(let value) where range.contains(Int(value)): return Int(value)
    case .integer(let value): throw ONNXMismatch("its setting \(name) is \(value)")
    default: throw wrongType(name)
    }
  }

  /// A truth value, which files store as 0 or 1.
  func flag(_ name: String, _ otherwise: Bool) throws(ONNXMismatch) -> Bool {
    try integer(name, otherwise ? 1 : 0, in: 0...1) == 1
  }

  /// A floating-point setting. Throws if it is of another type.
  func number(_ name: String, _ otherwise: Float) throws(ONNXMismatch) -> Float {
    switch node.attributes[name] {
    case nil: return otherwise
    case .number(let value) where !value.isNaN: return value
    default: throw wrongType(name)
    }
  }

  /// A list of integers; nil if the node does not have it.
  func integers(_ name: String) throws(ONNXMismatch) -> [Int]? {
    switch node.attributes[name] {
    case nil: return nil
    case .integers(let values): return values.map { Int($0) }
    case .integer(let value): return [Int(value)]
    default: throw wrongType(name)
    }
  }

  /// A list of floats; nil if the node does not have it.
  func numbers(_ name: String) throws(ONNXMismatch) -> [Float]? {
    switch node.attributes[name] {
    case nil: return nil
    case .numbers(let values): return values
    case .number(let value): return [value]
    default: throw wrongType(name)
    }
  }

  /// A text setting. Throws if it is none of `choices`, of which the first is the default.
  func text(_ name: String, _ choices: [String]) throws(ONNXMismatch) -> String {
    switch node.attributes[name] {
    case nil: return choices[0]
    case .text(let value) where choices.contains(value): return value
    case .text(let value): throw ONNXMismatch("dfkit does not have its setting \(name) \(value)")
    default: throw wrongType(name)
    }
  }

  /// A list of texts; nil if the node does not have it.
  func texts(_ name: String) throws(ONNXMismatch) -> [String]? {
    switch node.attributes[name] {
    case nil: return nil
    case .texts(let values): return values
    case .text(let value): return [value]
    default: throw wrongType(name)
    }
  }

  private func wrongType(_ name: String) -> ONNXMismatch {
    ONNXMismatch("its setting \(name) has a type or value that dfkit does not have")
  }
}

extension Int {
  /// The axis counted from the first. Throws if a tensor of `rank` axes does not have it.
  func axis(rank: Int) throws(ONNXMismatch) -> Int {
    guard self >= -rank, self < rank else {
      throw ONNXMismatch("its axis \(self) does not fit a tensor with \(rank) axes")
    }
    return self < 0 ? self + rank : self
  }
}

extension [Int] {
  /// The axes counted from the first, in the same order. Throws if a tensor of `rank` axes does not
  /// have one of them, or if one occurs twice.
  func axes(rank: Int) throws(ONNXMismatch) -> [Int] {
    var axes: [Int] = []
    for axis in self { axes.append(try axis.axis(rank: rank)) }
    guard Set(axes).count == count else { throw ONNXMismatch("its axes \(self) repeat") }
    return axes
  }
}
