import DeepfakeCore
import Foundation

/// Hands videos to threads and what becomes of them to whoever waits.
///
/// All state is guarded by the condition; hence `@unchecked Sendable`.
final class ExtractionQueue: @unchecked Sendable {
  /// A video that a thread is through with.
  struct Finished {
    /// Its place in the list of videos.
    var place: Int
    var result: Result<VideoExtractor.Result, any Error>
  }

  private let condition = NSCondition()
  private let count: Int
  private var next = 0
  private var finished: [Finished] = []
  /// The part of the video in hand that each thread has done, and the video.
  private var parts: [Int: (place: Int, part: Double)] = [:]
  private var working: Int
  private var isStopped = false

  init(count: Int, threads: Int) {
    self.count = count
    working = threads
  }

  /// What a thread does until there is nothing left.
  func work(_ thread: Int, _ body: (Int, (Double) -> Void) throws -> VideoExtractor.Result) {
    while let place = take(thread) {
      let result = Result {
        try autoreleasing {
          try body(place) { part in
            self.condition.withLock { self.parts[thread] = (place, part) }
          }
        }
      }
      condition.withLock {
        parts[thread] = nil
        finished.append(Finished(place: place, result: result))
        condition.signal()
      }
    }
    condition.withLock {
      working -= 1
      condition.signal()
    }
  }

  private func autoreleasing<T>(_ body: () throws -> T) rethrows -> T {
    #if canImport(ObjectiveC)
      try autoreleasepool(invoking: body)
    #else
      try body()
    #endif
  }

  private func take(_ thread: Int) -> Int? {
    condition.withLock {
      guard !isStopped, next < count else { return nil }
      next += 1
      parts[thread] = (next - 1, 0)
      return next - 1
    }
  }

  /// Ends the work: threads give up what they have in hand.
  func stop() { condition.withLock { isStopped = true } }

  var isCancelled: Bool { condition.withLock { isStopped } }

  /// What is in hand: a video, and the sum of the parts that are done.
  var inHand: (place: Int?, part: Double) {
    condition.withLock {
      (parts.values.map(\.place).min(), parts.values.reduce(0) { $0 + $1.part })
    }
  }

  /// The videos that threads are through with since the last call, waited for up to a tenth of a second;
  /// nil when no thread works any more and all were handed over.
  func results() -> [Finished]? {
    condition.lock()
    defer { condition.unlock() }
    if finished.isEmpty, working > 0 {
      // Either way the caller comes again.
      _ = condition.wait(until: Date(timeIntervalSinceNow: 0.1))
    }
    defer { finished = [] }
    return finished.isEmpty && working == 0 ? nil : finished
  }
}
