/// Where a computation stopped being finite.
package struct NonFiniteLayer: Sendable, Equatable {
  /// The operation whose output was the first with an infinity or a NaN.
  package let operation: String
  /// The keys of the parameters that it reads; of the last call before it that reads some, where it
  /// reads none.
  package let parameters: [String]
  /// Which of these parameters are not finite themselves.
  package let damaged: [String]
}

/// Runs `body` and says which layer's output is the first that is not finite; nil where all are.
///
/// Only calls that depend on a parameter are looked at: what comes before, such as the network's
/// input, is the caller's to check.
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
  _ = try Tape.$current.withValue(tape, operation: body)
  return found
}

extension Tensor {
  /// Whether no element is an infinity or a NaN.
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
