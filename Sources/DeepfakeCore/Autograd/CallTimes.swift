/// The time that recorded calls of operations took, summed by operation and phase.
package final class CallTimes: Sendable {
  /// The purpose of a call.
  package enum Phase: String, Sendable, CaseIterable {
    /// Computing the output in the forward pass.
    case forward
    /// Computing the gradients of the inputs in the backward pass.
    case backward
    /// Computing an output a second time in the backward pass, because it was not kept.
    case recompute
  }

  /// The calls of one operation in one phase.
  package struct Entry: Sendable, Equatable {
    /// The name of the operation's type, or the operation's own name if it is a `NamedOperation`.
    package var operation: String
    package var phase: Phase
    package var calls: Int
    /// The total time of these calls.
    package var seconds: Double
  }

  private struct Key: Hashable {
    var operation: String
    var phase: Phase
  }

  @TaskLocal static var current: CallTimes?

  private let totals = TimeTotals<Key>()

  private init() {}

  /// Runs `body` and measures the operation calls that it records.
  ///
  /// - Returns: The result of `body`, and one entry for each operation and phase, longest time
  ///   first.
  package static func measure<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, entries: [Entry]) {
    let times = CallTimes()
    let result = try $current.withValue(times, operation: body)
    return (result, times.entries)
  }

  private var entries: [Entry] {
    totals.totals.map {
      Entry(operation: $0.key.operation, phase: $0.key.phase, calls: $0.calls, seconds: $0.seconds)
    }.sorted { $0.seconds > $1.seconds }
  }

  /// Returns the result of `body`, and adds its time to the totals if `measure` is running.
  @inline(__always)
  static func timed<Result>(
    _ operation: any Operation, _ phase: Phase, _ body: () -> Result
  ) -> Result {
    guard let times = current else { return body() }
    let start = ContinuousClock.now
    let result = body()
    let seconds = start.secondsSince
    let name = (operation as? any NamedOperation)?.name ?? String(describing: type(of: operation))
    times.totals.add(Key(operation: name, phase: phase), seconds)
    return result
  }
}

/// An operation that names itself in `CallTimes`, because its settings decide how long a call
/// takes.
protocol NamedOperation: Operation {
  /// The name shown in a list of times.
  var name: String { get }
}

extension Convolution: NamedOperation {
  var name: String {
    let stride = max(settings.stride.height, settings.stride.width)
    return "Convolution" + (settings.groups > 1 ? ", grouped" : "")
      + (stride > 1 ? ", stride \(stride)" : "")
  }
}
