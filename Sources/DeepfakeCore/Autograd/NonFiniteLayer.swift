/// The first layer of a computation whose output contains an infinity or a NaN.
package struct NonFiniteLayer: Sendable, Equatable {
  /// The type of the operation that gave this output.
  package let operation: String
  /// The keys of the parameters that the operation reads. If it reads none, the keys of the
  /// parameters that the last call before it with parameters read.
  package let parameters: [String]
  /// The keys among `parameters` whose values are not finite themselves.
  package let damaged: [String]
}

/// Runs `body` and returns the first layer whose output is not finite, or nil if all are finite.
///
/// Only calls that depend on a parameter are checked. The caller must check everything before them,
/// such as the network's input.
package func firstNonFiniteLayer(_ body: () throws -> Tensor) rethrows -> NonFiniteLayer? {
  var found: NonFiniteLayer?
  var last: [Parameter] = []
  let tape = Tape(parameters: nil) { operation, parameters, output in
    guard found == nil else { return }
    if !parameters.isEmpty { last = parameters }
    guard !output.isFinite else { return }
    found = NonFiniteLayer(
      operation: "\(type(of: operation))", parameters: last.map(\.key),
      damaged: last.filter { parameter in !withoutRecording { parameter.value }.isFinite }.map(
        \.key))
  }
  _ = try Recording.$current.withValue(tape, operation: body)
  return found
}

extension Tensor {
  /// Whether every element is finite, that is neither an infinity nor a NaN.
  public var isFinite: Bool {
    withUnsafeBuffer { elements in
      guard let x = elements.baseAddress else { return true }
      var index = 0
      var sum = Lanes.zero
      // x - x is 0 where x is finite, else NaN, which stays in a sum.
      while index &+ 8 <= elements.count {
        let lanes = UnsafeRawPointer(x + index).loadUnaligned(as: Lanes.self)
        sum += lanes - lanes
        index &+= 8
      }
      return sum == .zero && elements[index...].allSatisfy(\.isFinite)
    }
  }
}
