import Synchronization

/// How long the stages of a prediction took.
///
/// A stage wraps its work in `measure`, which costs next to nothing where nobody records. Where
/// stages overlap on several threads, their times add up to more than the clock's.
package final class StageTimes: Sendable {
  /// A part of the work on a file.
  package enum Stage: String, Sendable, CaseIterable {
    /// Reading weights and packing them.
    case load
    /// Reading and decoding frames, and bringing them to RGB.
    case decode
    /// Looking for faces.
    case detect
    /// Joining faces into people.
    case track
    /// Cutting faces out.
    case crop
    /// Scoring faces by the networks.
    case classify
  }

  /// A stage in work, and the time of those inside it.
  private final class Frame: Sendable {
    let inner = Mutex(0.0)
  }

  /// What records on this task; for work on threads of one's own, `$current.withValue` takes it
  /// there.
  @TaskLocal static var current: StageTimes?
  @TaskLocal private static var frame: Frame?

  private let totals = Mutex<[Stage: Double]>([:])

  private init() {}

  /// What `body` returns, and the seconds of each stage that it went through.
  package static func record<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, seconds: [Stage: Double]) {
    let times = StageTimes()
    let result = try $current.withValue(times, operation: body)
    return (result, times.totals.withLock(\.self))
  }

  /// `body`'s result. Where stages are recorded, its time counts as the stage's, less that of
  /// stages inside it.
  package static func measure<Result>(
    _ stage: Stage, _ body: () throws -> Result
  ) rethrows -> Result {
    guard let times = current else { return try body() }
    let frame = Frame()
    let enclosing = Self.frame
    let start = ContinuousClock.now
    defer {
      let seconds = (ContinuousClock.now - start).seconds
      let own = seconds - frame.inner.withLock(\.self)
      times.totals.withLock { $0[stage, default: 0] += own }
      enclosing?.inner.withLock { $0 += seconds }
    }
    return try $frame.withValue(frame, operation: body)
  }
}
