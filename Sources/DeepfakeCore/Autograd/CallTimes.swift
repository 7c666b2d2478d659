/// How long the recorded calls of operations took, by operation and phase.
package final class CallTimes: Sendable {
  /// What a call was made for.
  package enum Phase: String, Sendable, CaseIterable {
    /// The output, as the computation runs.
    case forward
    /// The gradients of the inputs.
    case backward
    /// An output once more, in backward.
    case remake
  }

  /// One operation's calls in one phase.
  package struct Entry: Sendable, Equatable {
    /// The operation's name.
    package var operation: String
    package var phase: Phase
    package var calls: Int
    /// Their time together, in seconds.
    package var seconds: Double
  }

  private struct Key: Hashable {
    var operation: String
    var phase: Phase
  }

  @TaskLocal static var current: CallTimes?

  private let totals = TimeTotals<Key>()

  private init() {}

  /// What `body` returns, and the times of the calls that it records, longest first.
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

  /// `body`'s result; its time counts where times are taken.
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

/// An operation whose type alone does not say what takes its time.
protocol NamedOperation: Operation {
  /// The name in a list of times.
  var name: String { get }
}

extension Convolution: NamedOperation {
  var name: String {
    let stride = max(settings.stride.height, settings.stride.width)
    return "Convolution" + (settings.groups > 1 ? ", grouped" : "")
      + (stride > 1 ? ", stride \(stride)" : "")
  }
}
