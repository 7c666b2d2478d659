import DeepfakeCore
import Foundation
import Testing

@Suite struct WorkQueueTests {
  private func all(_ queue: WorkQueue<Int>) -> [Int] {
    var found: [Int] = []
    while case .outcome(_, let outcome) = queue.next() { found.append(outcome) }
    return found
  }

  @Test(arguments: [1, 3, 8])
  func outcomesComeInOrder(_ threads: Int) {
    var options = WorkQueue<Int>.Options("test", threads: threads)
    options.ahead = 2
    let queue = WorkQueue<Int>(50, options)
    queue.start { _ in
      { item in
        // Later items are done sooner.
        usleep(UInt32(50 - item) * 10)
        return item * item
      }
    }
    #expect(all(queue) == (0..<50).map { $0 * $0 })
  }

  @Test func aGroupIsDoneWithTheItemThatCompletesIt() {
    var options = WorkQueue<Int>.Options("test", threads: 1)
    options.groupSize = 4
    let queue = WorkQueue<Int>(10, options)
    queue.start { _ in { $0 % 4 == 3 || $0 == 9 ? $0 : nil } }
    #expect(all(queue) == [3, 7, 9])
  }

  @Test func whatIsSlowKeepsNobodyWaitingWithoutOrder() {
    let first = DispatchSemaphore(value: 0)
    var options = WorkQueue<Int>.Options("test", threads: 2)
    options.isOrdered = false
    let queue = WorkQueue<Int>(5, options)
    queue.start { _ in
      { item in
        if item == 0 { first.wait() }
        return item
      }
    }
    for expected in 1...4 {
      guard case .outcome(let group, _) = queue.next() else {
        Issue.record("over before the end")
        return
      }
      #expect(group == expected)
    }
    guard case .notYet = queue.next(within: 0.01) else {
      Issue.record("the first item waits")
      return
    }
    first.signal()
    #expect(all(queue) == [0])
  }

  @Test func noGroupIsBegunBeyondThoseAhead() {
    var options = WorkQueue<Int>.Options("test", threads: 4)
    options.ahead = 3
    let begun = Counter()
    let queue = WorkQueue<Int>(100, options)
    queue.start { _ in
      {
        begun.add()
        return $0
      }
    }
    Thread.sleep(forTimeInterval: 0.05)
    #expect(begun.count <= 3)
    #expect(all(queue).count == 100)
  }

  @Test func afterAStopWhatIsInHandStillComes() {
    let go = DispatchSemaphore(value: 0)
    let queue = WorkQueue<Int>(100, .init("test", threads: 1))
    queue.start { _ in
      {
        go.wait()
        return $0
      }
    }
    go.signal()
    guard case .outcome(0, _) = queue.next() else {
      Issue.record("the first item comes first")
      return
    }
    queue.stop()
    for _ in 0..<100 { go.signal() }
    #expect(queue.isStopped && all(queue).count <= 1)
  }

  private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0
    var count: Int { lock.withLock { value } }
    func add() { lock.withLock { value += 1 } }
  }
}
