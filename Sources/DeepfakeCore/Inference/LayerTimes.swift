/// How long the layers of a network took in inference, and what they had to do.
///
/// A layer wraps its work in `measure`, which costs next to nothing where nobody records.
package final class LayerTimes: Sendable {
  /// The calls of one layer on input of one shape.
  package struct Entry: Sendable, Equatable {
    /// The layer's key, that of its weight less the name `weight`.
    package var key: String
    /// What one call has to do.
    package var work: LayerWork
    package var calls: Int
    /// The part of the clock's time that they took, in seconds: a call on one thread of two counts
    /// half.
    package var seconds: Double

    /// An entry.
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

  /// What `body` returns, and the layers that it ran, in the order in which they ran first.
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

  /// `body`'s result. Where layers are recorded, its time counts as that of the layer whose weight
  /// has `key`; layers inside `body` are not recorded a second time.
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

  /// Calls `body` with layers recorded by `times`, which is how a recording follows work to other
  /// threads.
  static func recorded(by times: LayerTimes, _ body: () -> Void) {
    $current.withValue(times, operation: body)
  }
}
