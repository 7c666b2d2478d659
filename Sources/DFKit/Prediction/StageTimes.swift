import Synchronization

/// Measures the time of each stage of a prediction.
///
/// A stage wraps its work in `measure`, which costs almost nothing if nothing is recorded. If
/// stages overlap on several threads, their times add up to more than the elapsed time.
package final class StageTimes: Sendable {
  /// A stage of the work on a file.
  package enum Stage: String, Sendable, CaseIterable {
    /// Reading the weights and preparing them for the kernels.
    case load
    /// Reading and decoding frames, and converting them to RGB.
    case decode
    /// Detecting faces.
    case detect
    /// Grouping faces by person.
    case track
    /// Cutting faces out of frames.
    case crop
    /// Scoring faces with the networks.
    case classify
  }

  /// A running stage, with the total time of the stages inside it.
  private final class Frame: Sendable {
    let inner = Mutex(0.0)
  }

  /// The recorder of the current task; nil if nothing is recorded. Work on other threads must set
  /// it with `$current.withValue`.
  @TaskLocal static var current: StageTimes?
  @TaskLocal private static var frame: Frame?

  private let totals = Mutex<[Stage: Double]>([:])

  private init() {}

  /// Runs `body` and records the seconds of each stage.
  package static func record<Result>(
    _ body: () throws -> Result
  ) rethrows -> (result: Result, seconds: [Stage: Double]) {
    let times = StageTimes()
    let result = try $current.withValue(times, operation: body)
    return (result, times.totals.withLock(\.self))
  }

  /// Runs `body` as a stage. If times are recorded, its duration counts for `stage`, without the
  /// time of stages inside it.
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
