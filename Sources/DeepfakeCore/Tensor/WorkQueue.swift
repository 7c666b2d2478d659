import Foundation

/// Threads of its own that work on numbered items, and whoever waits for what they make of them.
///
/// Items form groups, one after the other. A group has one outcome: the work on its items returns
/// it for the item that completes the group, and nil for the others.
///
/// All state is guarded by the condition; hence `@unchecked Sendable`.
package final class WorkQueue<Outcome: Sendable>: @unchecked Sendable {
  /// How items are worked on.
  package struct Options: Sendable {
    /// What the threads are called, in debuggers.
    package var name: String
    /// Threads, at least one.
    package var threads: Int
    /// Items of a group; the last group can have fewer.
    package var groupSize = 1
    /// Groups that may be begun and not yet handed over.
    package var ahead = Int.max
    /// Whether groups are handed over in order; otherwise as they are done.
    package var isOrdered = true
    /// Whether what the work asks of the kernels stays on its thread.
    package var keepsToThreads = true
    /// Bytes of a thread's stack; nil for the system's choice, which can be 512 KiB.
    package var stackSize: Int?

    /// The defaults: ordered groups of one item, as many ahead as there are.
    package init(_ name: String, threads: Int) {
      self.name = name
      self.threads = threads
    }
  }

  /// What `next` finds.
  package enum Step {
    /// A group that is done.
    case outcome(group: Int, Outcome)
    /// The time is over.
    case notYet
    /// Everything was handed over, or the work was stopped and nothing is in hand any more.
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

  /// A queue of `count` items; `start` starts the work.
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
  /// - Parameter worker: makes what works on items, on each thread once.
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

  /// Begins no more items. What threads have in hand is finished and still handed over.
  package func stop() {
    condition.withLock {
      stopped = true
      condition.broadcast()
    }
  }

  /// Whether the work was stopped.
  package var isStopped: Bool { condition.withLock { stopped } }

  /// The next group that is done, waited for.
  ///
  /// - Parameter seconds: how long; nil for as long as it takes.
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

  /// What a thread does until there is nothing left.
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

  /// The next item; nil when all were taken, or the work was stopped.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !stopped, nextItem < count {
      // The group that is handed over next, and those ahead of it.
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
