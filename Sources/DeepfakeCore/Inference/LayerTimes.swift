/// The time that each layer of a network took in inference, with the amount of work.
///
/// A layer wraps its work in `measure`, which costs almost nothing if no recording is running.
package final class LayerTimes: Sendable {
  /// The calls of one layer on input of one shape.
  package struct Entry: Sendable, Equatable {
    /// The key of the layer: the key of its weight without `.weight`.
    package var key: String
    /// The work of one call.
    package var work: LayerWork
    package var calls: Int
    /// The time of these calls in seconds of wall clock time. If a call uses one of two threads,
    /// half of its time counts.
    package var seconds: Double

    package init(key: String, work: LayerWork, calls: Int, seconds: Double) {
      self.key = key
      self.work = work
      self.calls = calls
      self.seconds = seconds
    }
  }

  private struct Key: Hashable {
    var name: String
    var work: LayerWork
  }

  @TaskLocal static var current: LayerTimes?

  private let totals = TimeTotals<Key>()

  private init() {}

  /// Runs `body` and records the layers that it runs.
  ///
  /// - Returns: The result of `body`, and one entry for each layer and input shape, in the order of
  ///   their first calls.
  package static func record<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, entries: [Entry]) {
    let times = LayerTimes()
    let result = try $current.withValue(times, operation: body)
    return (result, times.entries)
  }

  private var entries: [Entry] {
    totals.totals.map {
      Entry(key: $0.key.name, work: $0.key.work, calls: $0.calls, seconds: $0.seconds)
    }
  }

  /// Returns the result of `body`. If a recording is running, the time counts for the layer whose
  /// weight has `key`; layers inside `body` are not recorded separately.
  @inline(__always)
  package static func measure<Result>(
    _ key: @autoclosure () -> String, work: @autoclosure () -> LayerWork, _ body: () -> Result
  ) -> Result {
    guard let times = current else { return body() }
    let share = Parallel.usableShare
    let start = ContinuousClock.now
    let result = $current.withValue(nil, operation: body)
    let seconds = start.secondsSince
    let name = key()
    let suffix = ".weight"
    times.totals.add(
      Key(
        name: name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name, work: work()),
      seconds * share)
    return result
  }

  /// Calls `body` while `times` records its layers. The thread pool uses this to continue a
  /// recording on other threads.
  static func recorded(by times: LayerTimes, _ body: () -> Void) {
    $current.withValue(times, operation: body)
  }
}
