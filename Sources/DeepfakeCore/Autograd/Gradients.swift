import OrderedCollections

/// The gradients of a loss with respect to the parameters of one or more networks.
public struct Gradients: Sendable {
  private struct Entry: Sendable {
    let parameter: Parameter
    var gradient: Tensor
  }

  private var entries: OrderedDictionary<ObjectIdentifier, Entry> = [:]

  /// Creates an empty set of gradients.
  public init() {}

  /// The parameters that have a gradient, in the order in which their gradients were added.
  public var parameters: [Parameter] { entries.values.map(\.parameter) }

  /// The gradient with respect to `parameter`, of its shape, or nil if there is none.
  public subscript(parameter: Parameter) -> Tensor? {
    get { entries[ObjectIdentifier(parameter)]?.gradient }
    set {
      let identity = ObjectIdentifier(parameter)
      guard let newValue else {
        entries[identity] = nil
        return
      }
      precondition(
        newValue.shape == parameter.shape,
        "Gradients: shape \(newValue.shape) for \(parameter.key) of \(parameter.shape)")
      entries[identity] = Entry(parameter: parameter, gradient: newValue.detached)
    }
  }

  /// Changes every gradient in place.
  mutating func updateEach(_ body: (inout Tensor) -> Void) {
    for index in entries.values.indices { body(&entries.values[index].gradient) }
  }

  /// Adds the gradients of another computation to these, parameter by parameter.
  public mutating func add(_ other: Gradients) {
    for entry in other.entries.values {
      let identity = ObjectIdentifier(entry.parameter)
      if entries[identity] == nil {
        entries[identity] = entry
      } else {
        entries[identity]?.gradient.accumulate(entry.gradient)
      }
    }
  }
}

/// Computes a value and its gradients with respect to the parameters that the computation reads.
///
/// Calls are recorded inside `body` only. Each call keeps only what its pullback needs, and the
/// backward pass frees it after use. Only parameters that are read on the calling thread count;
/// work that `body` hands to other tasks is not recorded. A `valueAndGrad` inside `body` is a
/// separate computation, and its result is a constant for the outer one.
///
/// - Parameters:
///   - parameters: The parameters whose gradients are wanted; nil: all that `body` reads. Running
///     statistics never get a gradient. Gradients that only other parameters need are not computed.
///   - body: The computation; its result has one element.
/// - Returns: The value, and a gradient for each wanted parameter that was read.
public func valueAndGrad(
  of parameters: [Parameter]? = nil, _ body: () throws -> Tensor
) rethrows -> (value: Float, gradients: Gradients) {
  let tape = Tape(parameters: parameters.map { Set($0.map(ObjectIdentifier.init)) })
  let output = try Recording.$current.withValue(tape, operation: body)
  let value = output.item
  tape.backward(from: output, seed: Tensor(repeating: 1, shape: output.shape))
  return (value, tape.takeGradients())
}

/// Computes a value and its gradients with respect to plain tensors.
///
/// - Parameters:
///   - inputs: The tensors that are passed to `body` and whose gradients are wanted.
///   - body: The computation; its result has one element.
/// - Returns: The value, and the gradients with respect to `inputs`, in their order and shapes.
public func valueAndGrad(
  at inputs: [Tensor], _ body: ([Tensor]) throws -> Tensor
) rethrows -> (value: Float, gradients: [Tensor]) {
  let tape = Tape(parameters: [])
  let watched = inputs.map(tape.watch)
  let output = try Recording.$current.withValue(tape) { try body(watched) }
  let value = output.item
  tape.backward(from: output, seed: Tensor(repeating: 1, shape: output.shape))
  return (value, watched.map { $0.node?.takeGradient() ?? Tensor(zeros: $0.shape) })
}

/// Runs `body` without recording its calls, even inside `valueAndGrad`; its result is a constant
/// there.
public func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Recording.$current.withValue(nil, operation: body)
}
