import DeepfakeCore
import FaceData
import Foundation

/// Hands slots of batches to workers and whole batches to the consumer, in order.
///
/// All state is guarded by the condition; hence `@unchecked Sendable`.
final class BatchQueue: @unchecked Sendable {
  /// A batch in the making.
  private struct Pending {
    var crops: [Result<PreparedCrop, DatasetError>?]
    var missing: Int
  }

  private let maker: BatchMaker
  private let slots: Range<Int>
  private let batchSize: Int
  private let ahead: Int
  private let condition = NSCondition()
  private var nextSlot: Int
  private var pending: [Int: Pending] = [:]
  private var done: [Int: Result<FaceBatch, DatasetError>] = [:]
  /// The batch that the consumer gets next.
  private var wanted = 0
  private var isStopped = false

  init(_ maker: BatchMaker, slots: Range<Int>, batchSize: Int, ahead: Int) {
    self.maker = maker
    self.slots = slots
    self.batchSize = batchSize
    self.ahead = ahead
    nextSlot = slots.lowerBound
  }

  func stop() {
    condition.withLock {
      isStopped = true
      pending = [:]
      done = [:]
      condition.broadcast()
    }
  }

  func next() throws(DatasetError) -> FaceBatch? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped, slots(of: wanted).lowerBound < slots.upperBound {
      guard let result = done.removeValue(forKey: wanted) else {
        condition.wait()
        continue
      }
      wanted += 1
      if case .failure = result { isStopped = true }
      condition.broadcast()
      return try result.get()
    }
    return nil
  }

  /// What a thread does until there is nothing left.
  func work() {
    Parallel.keepToThisThread()
    while let slot = take() {
      let batch = (slot - slots.lowerBound) / batchSize
      let crop = maker.crop(slot)
      if let crops = put(crop, slot, batch) {
        let result = maker.batch(crops, slots(of: batch))
        condition.withLock {
          if !isStopped { done[batch] = result }
          condition.broadcast()
        }
      }
    }
  }

  private func slots(of batch: Int) -> Range<Int> {
    let start = slots.lowerBound + batch * batchSize
    return start..<max(start, min(slots.upperBound, start + batchSize))
  }

  /// The next slot to fill; nil when all are, or the work is stopped.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped, nextSlot < slots.upperBound {
      // The batch that the consumer waits for, and those ahead of it.
      guard (nextSlot - slots.lowerBound) / batchSize < wanted + ahead else {
        condition.wait()
        continue
      }
      nextSlot += 1
      return nextSlot - 1
    }
    return nil
  }

  /// Puts a crop into its batch; the batch's crops where it is the last of them.
  private func put(
    _ crop: Result<PreparedCrop, DatasetError>, _ slot: Int, _ batch: Int
  ) -> [Result<PreparedCrop, DatasetError>]? {
    condition.lock()
    defer { condition.unlock() }
    guard !isStopped else { return nil }
    let range = slots(of: batch)
    var waiting =
      pending.removeValue(forKey: batch)
      ?? Pending(crops: Array(repeating: nil, count: range.count), missing: range.count)
    waiting.crops[slot - range.lowerBound] = crop
    waiting.missing -= 1
    if waiting.missing == 0 { return waiting.crops.compactMap { $0 } }
    pending[batch] = waiting
    return nil
  }
}
