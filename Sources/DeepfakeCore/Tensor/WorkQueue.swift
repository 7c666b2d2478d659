import Foundation

/// A queue with its own threads that process numbered items, while another thread waits for the
/// results.
///
/// Items form groups of consecutive items. A group has one outcome: the worker returns it for the
/// item that completes the group, and nil for the other items.
///
/// The condition protects all state; hence `@unchecked Sendable`.
package final class WorkQueue<Outcome: Sendable>: @unchecked Sendable {
  /// The settings of a queue.
  package struct Options: Sendable {
    /// The name of the threads in debuggers.
    package var name: String
    /// The number of threads, at least one.
    package var threads: Int
    /// The number of items in a group; the last group can have fewer.
    package var groupSize = 1
    /// The maximum number of groups that are started but not yet returned by `next`.
    package var ahead = Int.max
    /// Whether `next` returns groups in order; otherwise as they are finished.
    package var isOrdered = true
    /// Whether kernels that a worker calls stay on its thread.
    package var keepsToThreads = true
    /// The stack size of a thread in bytes; nil: the system's default, which can be 512 KiB.
    package var stackSize: Int?

    /// Creates settings; the defaults are ordered groups of one item, without a limit on started
    /// groups.
    package init(_ name: String, threads: Int) {
      self.name = name
      self.threads = threads
    }
  }

  /// The result of `next`.
  package enum Step {
    /// A finished group.
    case outcome(group: Int, Outcome)
    /// The time limit has passed.
    case notYet
    /// All groups were returned, or the work was stopped and all started items are finished.
    case over
  }

  private let count: Int
  private let options: Options
  private let condition = NSCondition()
  private var nextItem = 0
  private var done: [Int: Outcome] = [:]
  private var handedOver = 0
  private var working = 0
  private var stopped = false

  /// Creates a queue of `count` items; `start` starts the work.
  package init(_ count: Int, _ options: Options) {
    precondition(
      options.threads > 0 && options.groupSize > 0 && options.ahead > 0,
      "WorkQueue: \(options.threads) threads, groups of \(options.groupSize),"
        + " \(options.ahead) ahead")
    self.count = count
    self.options = options
  }

  /// Starts the threads.
  ///
  /// - Parameter worker: A function that is called once on each thread and returns the function
  ///   that processes items there.
  package func start(
    _ worker: @escaping @Sendable (_ thread: Int) -> (_ item: Int) -> Outcome?
  ) {
    condition.withLock { working = options.threads }
    for number in 0..<options.threads {
      let thread = Thread { [self] in
        if options.keepsToThreads { Parallel.keepToThisThread() }
        work(worker(number))
      }
      thread.name = "\(options.name) \(number)"
      if let size = options.stackSize { thread.stackSize = size }
      thread.start()
    }
  }

  /// Starts no more items. Items that are already started are finished and can still be returned.
  package func stop() {
    condition.withLock {
      stopped = true
      condition.broadcast()
    }
  }

  package var isStopped: Bool { condition.withLock { stopped } }

  /// Waits for the next finished group and returns it.
  ///
  /// - Parameter seconds: The time limit; nil: no limit.
  package func next(within seconds: Double? = nil) -> Step {
    let end = seconds.map { Date(timeIntervalSinceNow: $0) }
    condition.lock()
    defer { condition.unlock() }
    while true {
      let group = options.isOrdered ? handedOver : done.keys.min() ?? handedOver
      if let outcome = done.removeValue(forKey: group) {
        handedOver += 1
        condition.broadcast()
        return .outcome(group: group, outcome)
      }
      if working == 0 || handedOver == count.dividedRoundingUp(by: options.groupSize) {
        return .over
      }
      if let end {
        guard condition.wait(until: end) else { return .notYet }
      } else {
        condition.wait()
      }
    }
  }

  /// The loop of a thread, until no items are left.
  private func work(_ body: (Int) -> Outcome?) {
    while let item = take() {
      let outcome = releasing { body(item) }
      condition.withLock {
        if let outcome { done[item / options.groupSize] = outcome }
        condition.broadcast()
      }
    }
    condition.withLock {
      working -= 1
      condition.broadcast()
    }
  }

  /// The next item, or nil if all items were taken or the work was stopped.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !stopped, nextItem < count {
      // Wait if too many groups are started and not yet returned.
      guard nextItem / options.groupSize - handedOver < options.ahead else {
        condition.wait()
        continue
      }
      nextItem += 1
      return nextItem - 1
    }
    return nil
  }

  private func releasing<T>(_ body: () -> T) -> T {
    #if canImport(ObjectiveC)
      autoreleasepool(invoking: body)
    #else
      body()
    #endif
  }
}
