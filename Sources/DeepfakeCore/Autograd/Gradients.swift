import OrderedCollections

/// The gradients of a loss by the parameters of one or more networks.
public struct Gradients: Sendable {
  private struct Entry: Sendable {
    let parameter: Parameter
    var gradient: Tensor
  }

  private var entries: OrderedDictionary<ObjectIdentifier, Entry> = [:]

  /// No gradients.
  public init() {}

  /// The parameters that have a gradient, in the order in which they got it.
  public var parameters: [Parameter] { entries.values.map(\.parameter) }

  /// The gradient by `parameter`, of its shape; nil where there is none.
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

  /// Adds another computation's gradients to these.
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

/// The value of a computation and its gradients by the parameters that it reads.
///
/// Calls are recorded inside `body` only; each keeps what its pullback needs and no more, and
/// backward frees it as it passes. Parameters read on the calling thread count; work that `body`
/// hands to other tasks is not recorded. A `valueAndGrad` inside `body` is a computation of its
/// own, whose result is a constant to the outer one.
///
/// - Parameters:
///   - parameters: Those whose gradients are wanted; nil for all that `body` reads. Running
///     statistics never have one. What only others need is not computed.
///   - body: The computation; its result has one element.
/// - Returns: The value, and a gradient for each wanted parameter that was read.
public func valueAndGrad(
  of parameters: [Parameter]? = nil, _ body: () throws -> Tensor
) rethrows -> (value: Float, gradients: Gradients) {
  let tape = Tape(parameters: parameters.map { Set($0.map(ObjectIdentifier.init)) })
  let output = try Tape.$current.withValue(tape, operation: body)
  let value = output.item
  tape.backward(from: output, seed: Tensor(repeating: 1, shape: output.shape))
  return (value, tape.takeGradients())
}

/// The value of a computation and its gradients by plain tensors.
///
/// - Parameters:
///   - inputs: The tensors that `body` gets and whose gradients are wanted.
///   - body: The computation; its result has one element.
/// - Returns: The value, and the gradients by `inputs`, in their order and of their shapes.
public func valueAndGrad(
  at inputs: [Tensor], _ body: ([Tensor]) throws -> Tensor
) rethrows -> (value: Float, gradients: [Tensor]) {
  let tape = Tape(parameters: [])
  let watched = inputs.map(tape.watch)
  let output = try Tape.$current.withValue(tape) { try body(watched) }
  let value = output.item
  tape.backward(from: output, seed: Tensor(repeating: 1, shape: output.shape))
  return (value, watched.map { $0.node?.takeGradient() ?? Tensor(zeros: $0.shape) })
}

/// A computation's value without a record of how it came about, inside `valueAndGrad` too.
public func withoutRecording<Result>(_ body: () throws -> Result) rethrows -> Result {
  try Tape.$current.withValue(nil, operation: body)
}
